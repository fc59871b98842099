"""Operations: pure torch functions on light, one file each. A new file in a family folder is enough to add one."""

import importlib
import pkgutil

for _family in pkgutil.iter_modules(__path__):
    if _family.ispkg:
        _package = importlib.import_module(f"{__name__}.{_family.name}")
        for _file in pkgutil.iter_modules(_package.__path__):
            importlib.import_module(f"{_package.__name__}.{_file.name}")

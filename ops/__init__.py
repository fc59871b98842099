"""Operations: pure torch functions on light, one file each. A new file in a family folder is enough to add one."""

import pkgutil
from importlib import import_module

for _family in pkgutil.iter_modules(__path__):
    if _family.ispkg:
        _package = import_module(f"{__name__}.{_family.name}")
        for _file in pkgutil.iter_modules(_package.__path__):
            import_module(f"{_package.__name__}.{_file.name}")

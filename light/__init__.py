"""Light and its colour science: what every room may import. Torch only.

Everything here works on planes: tensors of one channel that broadcast against B1HW, so that the same line serves a
picture, a batch, sampled pixels and the compiler. Light is linear Rec.2020 D65 unless a name says otherwise.
"""

"""Writes JPEG files of many kinds, and the pixels that Pillow decodes them to: NAME.jpg, NAME.rgb.

python -m pip install pillow==13.0.0 numpy; python make.py, where libturbojpeg.so.0 is (it writes the
kinds that Pillow does not). arithmetic.jpg (arithmetic coding), chroma3x1.jpg (luma of 3x1) and
chroma-finer.jpg (luma of 1x1, chroma of 2x2) were there before and are read here alone.
"""
import ctypes
import glob
import io

import numpy
from PIL import Image

WIDTH, HEIGHT = 37, 29


def picture():
    y, x = numpy.mgrid[:HEIGHT, :WIDTH]
    parts = 128 + 100 * numpy.sin(x / 7 + y / 9), 128 + 90 * numpy.cos(x * y / 90), (x * 11 + y * 7) % 256
    return numpy.stack(parts, -1).astype(numpy.uint8)


def turbo(pixels, pixel_format, subsampling):
    """Compresses by TurboJPEG, which writes four channels as YCCK."""
    library = ctypes.CDLL('libturbojpeg.so.0')
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    pixels = numpy.ascontiguousarray(pixels)
    assert library.tjCompress2(handle, pixels.ctypes.data_as(ctypes.c_void_p), WIDTH, 0, HEIGHT, pixel_format,
                               ctypes.byref(out), ctypes.byref(size), subsampling, 85, 0) == 0
    return ctypes.string_at(out, size.value)


def pillow(image, **options):
    b = io.BytesIO()
    image.save(b, 'JPEG', quality=85, **options)
    return b.getvalue()


def main():
    colour = Image.fromarray(picture())
    four = numpy.dstack([picture(), picture()[::-1, :, 2] // 2])
    files = {
        'grey': pillow(colour.convert('L')),
        '444': pillow(colour, subsampling=0),
        '422-progressive': pillow(colour, subsampling=1, progressive=True),
        '420': pillow(colour, subsampling=2),
        '420-restarts': pillow(colour, subsampling=2, restart_marker_blocks=2),
        '411': pillow(colour, subsampling='4:1:1'),
        '440': turbo(picture(), 0, 4),
        'rgb': pillow(colour, keep_rgb=True),
        'cmyk': pillow(Image.fromarray(four, 'CMYK')),
        'ycck': turbo(255 - four, 11, 2),
    }
    for name, content in files.items():
        with open(name + '.jpg', 'wb') as f:
            f.write(content)
    for file in glob.glob('*.jpg'):
        with open(file[:-len('.jpg')] + '.rgb', 'wb') as f:
            f.write(Image.open(file).convert('RGB').tobytes())


main()

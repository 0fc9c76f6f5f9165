#!/bin/sh
# Makes the pictures of this folder, with ImageMagick 6 and libjpeg-turbo's cjpeg. Each is 32 x 24:
# red, green over blue, yellow. Run it here; the files are committed, so tests need neither program.
set -e
convert -size 16x12 xc:'rgb(200,40,40)' xc:'rgb(40,180,60)' +append top.ppm
convert -size 16x12 xc:'rgb(30,50,200)' xc:'rgb(230,220,90)' +append bottom.ppm
convert top.ppm bottom.ppm -append base.ppm
convert base.ppm -quality 90 -sampling-factor 4:2:0 baseline.jpg
convert base.ppm -quality 90 -interlace JPEG progressive.jpg
convert base.ppm -quality 90 -colorspace Gray grey.jpg
convert base.ppm -quality 90 -colorspace CMYK ycck.jpg
# ImageMagick writes YCCK (Adobe transform 2), Pillow plain CMYK (transform 0).
python3 -c "
from PIL import Image
Image.open('base.ppm').convert('CMYK').save('cmyk.jpg', quality=90)"
# Pillow: lossy, lossless with alpha and an EXIF orientation of 6, and two frames.
python3 -c "
from PIL import Image, ImageOps
base = Image.open('base.ppm')
base.save('lossy.webp', quality=90)
exif = Image.Exif()
exif[0x112] = 6
clear = base.convert('RGBA')
clear.putalpha(128)
clear.save('lossless_alpha.webp', lossless=True, exif=exif, exact=True)
base.save('animated.webp', save_all=True, append_images=[ImageOps.mirror(base)])"
cjpeg -rgb base.ppm > rgb.jpg
cjpeg -arithmetic base.ppm > arithmetic.jpg
convert base.ppm -interlace PNG -colors 4 -type Palette PNG8:interlaced_palette.png
convert base.ppm -alpha set -channel A -evaluate set 50% -depth 16 PNG64:alpha_16_bit.png
rm top.ppm bottom.ppm base.ppm

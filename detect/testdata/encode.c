/* Writes JPEG files with libjpeg for oracle.py: encode WIDTH HEIGHT H V PROGRESSIVE RESTART QUALITY OUT <pixels.rgb
   H and V are luma's sampling factors; those of chroma are 1. Chroma varies as much as luma does.
   cc encode.c -ljpeg -o encode */
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

int main(int argc, char **argv) {
  if (argc != 9) return 2;
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  FILE *out = fopen(argv[8], "wb");
  if (!out) return 1;
  jpeg_stdio_dest(&c, out);
  c.image_width = atoi(argv[1]);
  c.image_height = atoi(argv[2]);
  c.input_components = 3;
  c.in_color_space = JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, atoi(argv[7]), TRUE);
  c.comp_info[0].h_samp_factor = atoi(argv[3]);
  c.comp_info[0].v_samp_factor = atoi(argv[4]);
  if (atoi(argv[5])) jpeg_simple_progression(&c);
  c.restart_interval = atoi(argv[6]);
  jpeg_start_compress(&c, TRUE);
  JSAMPLE *line = malloc(3 * c.image_width);
  while (c.next_scanline < c.image_height) {
    if (fread(line, 3, c.image_width, stdin) != c.image_width) return 1;
    jpeg_write_scanlines(&c, &line, 1);
  }
  jpeg_finish_compress(&c);
  return fclose(out) != 0;
}

// The functions of libturbojpeg that are called, loaded when the program runs.
#include <stddef.h>

// turbojpeg_open loads the library. It returns NULL, or a text that says why the library cannot
// be used; the caller frees the text. Call it once, before anything else.
char *turbojpeg_open(void);

// turbojpeg_decode decodes a JPEG file of size bytes to width by height pixels in that format of
// TJPF, row after row without padding. It returns 0, or 1 if the library warns, or 2 if it fails;
// on 1 and 2 it writes the library's message.
int turbojpeg_decode(const unsigned char *file, size_t size, unsigned char *pixels, int width, int height, int format,
                     char *message, size_t capacity);

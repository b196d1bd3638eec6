// What is called of libturbojpeg, found when the program runs.
#include <stddef.h>

// turbojpeg_open loads the library. It gives NULL, or why it cannot be used: the text is the
// caller's to free. To be called once, before anything else.
char *turbojpeg_open(void);

// turbojpeg_decode decodes a JPEG file of size bytes to width by height pixels in that format of
// TJPF, row after row without padding. It gives 0, 1 if the library warns, or 2 if it fails, and
// then writes the library's message.
int turbojpeg_decode(const unsigned char *file, size_t size, unsigned char *pixels, int width, int height, int format,
                     char *message, size_t capacity);

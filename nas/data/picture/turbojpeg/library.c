#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

// As the documentation of the TurboJPEG C API says, versions 2 and 3.
typedef void *tjhandle;
enum { warning = 0, limitScans = 32768 }; // TJERR_WARNING, TJFLAG_LIMITSCANS

static tjhandle (*initDecompress)(void);
static int (*decompressHeader3)(tjhandle, const unsigned char *file, unsigned long size, int *width, int *height,
                                int *subsampling, int *colors);
static int (*decompress2)(tjhandle, const unsigned char *file, unsigned long size, unsigned char *pixels, int width,
                          int pitch, int height, int format, int flags);
static char *(*getErrorStr2)(tjhandle);
static int (*getErrorCode)(tjhandle);
static int (*destroy)(tjhandle);

char *turbojpeg_open(void) {
  void *library = dlopen("libturbojpeg.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL)
    return strdup(dlerror());
  const struct {
    void **at;
    const char *name;
  } functions[] = {
      {(void **)&initDecompress, "tjInitDecompress"}, {(void **)&decompressHeader3, "tjDecompressHeader3"},
      {(void **)&decompress2, "tjDecompress2"},       {(void **)&getErrorStr2, "tjGetErrorStr2"},
      {(void **)&getErrorCode, "tjGetErrorCode"},     {(void **)&destroy, "tjDestroy"},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if ((*functions[i].at = dlsym(library, functions[i].name)) == NULL)
      return strdup(dlerror());
  return NULL;
}

int turbojpeg_decode(const unsigned char *file, size_t size, unsigned char *pixels, int width, int height, int format,
                     char *message, size_t capacity) {
  tjhandle handle = initDecompress();
  if (handle == NULL) {
    snprintf(message, capacity, "%s", getErrorStr2(NULL));
    return 2;
  }
  // decompressHeader3 reports the size but fails for sampling that has no name. decompress2 decodes
  // such sampling too, but scales a picture whose size is not the one asked for.
  int toldWidth = 0, toldHeight = 0, subsampling, colors, outcome = 0;
  int named = decompressHeader3(handle, file, size, &toldWidth, &toldHeight, &subsampling, &colors) == 0;
  if ((named || toldWidth != 0) && (toldWidth != width || toldHeight != height)) {
    snprintf(message, capacity, "%d by %d pixels, not %d by %d", toldWidth, toldHeight, width, height);
    outcome = 2;
  } else if (decompress2(handle, file, size, pixels, width, 0, height, format, limitScans) != 0) {
    snprintf(message, capacity, "%s", getErrorStr2(handle));
    outcome = getErrorCode(handle) == warning ? 1 : 2;
  }
  destroy(handle);
  return outcome;
}

// Ends the process with one line where its limits leave less memory than libtorch and
// Go's runtime take before main: both would end it with traces.
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { megabyte = 1000000 };

static char *digits(char *end, unsigned long n) {
  do *--end = '0' + n % 10;
  while (n /= 10);
  return end;
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

static void check(int resource, unsigned long least, const char *what, const char *flag) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= least * megabyte) return;
  char number[24] = {0};
  say("darts: ");
  say(what);
  say(" of this process is limited to ");
  say(digits(number + sizeof number - 1, limit.rlim_cur / megabyte));
  say(" MB (ulimit ");
  say(flag);
  say("), want ");
  say(digits(number + sizeof number - 1, least));
  say(" or more\n");
  _exit(1);
}

// What a search of the smallest size took: it ran with 2500 and 900 MB, not with 2000 and
// 700 (2 cores; libtorch is 500 MB of the first, threads and Go's reserve the rest).
static void checkLimits(void) {
  check(RLIMIT_AS, 3000, "the address space", "-v");
  check(RLIMIT_DATA, 1000, "the data", "-d");
}

// Functions of this section run before the constructors of libraries, in programs only.
__attribute__((section(".preinit_array"), used)) static void (*const before)(void) = checkLimits;

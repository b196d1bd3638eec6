package torch_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"godarts/torch"
)

// mallocProcess makes the test binary the process that TestTuneMalloc looks at:
// "tuned" or "plain".
const mallocProcess = "GODARTS_TEST_MALLOC"

func init() {
	if os.Getenv(mallocProcess) != "" {
		runtime.LockOSThread() // as a main that calls TuneMalloc does
	}
}

func TestMain(m *testing.M) {
	switch os.Getenv(mallocProcess) {
	case "":
		os.Exit(m.Run())
	case "tuned":
		if !torch.TuneMalloc() {
			fmt.Println("malloc did not take the settings")
		}
	}
	pagesAnew(64 << 20)
	fmt.Println(pagesAnew(reused))
}

// reused is the size of the second tensor, in bytes. It is smaller than the first: malloc
// finds room for the alignment of a tensor only in a larger hole.
const reused = 48 << 20

// pagesAnew counts the pages that the system gives to a tensor of that size.
func pagesAnew(bytes int) int64 {
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	torch.Scoped(func() { torch.Ones([]int{bytes / 4}, single) })
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	return after.Minflt - before.Minflt
}

func TestTuneMalloc(t *testing.T) {
	// A process that has tuned malloc uses freed memory again, one that has not gets it from the system, when a large tensor is made twice.
	pages := func(how string) (n int) {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), mallocProcess+"="+how)
		out, err := command.Output()
		if _, scan := fmt.Sscan(string(out), &n); err != nil || scan != nil {
			t.Fatalf("%s: %v, output %q", how, err, out)
		}
		return n
	}
	all := reused / os.Getpagesize()
	if n := pages("tuned"); n > all/10 {
		t.Errorf("tuned: %d new pages", n)
	}
	if n := pages("plain"); n < all/2 {
		t.Errorf("not tuned: %d new pages of %d, the comparison shows nothing", n, all)
	}
}

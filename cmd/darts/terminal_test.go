package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal opens a pseudo-terminal; resize sets how wide it is.
func openTerminal(t *testing.T) (terminal *os.File, resize func(columns int)) {
	t.Helper()
	control := func(f *os.File, request uintptr, argument unsafe.Pointer) {
		t.Helper()
		if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(argument)); err != 0 {
			t.Fatal(err)
		}
	}
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	var number, locked int32
	control(master, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, func(columns int) {
		size := [4]uint16{24, uint16(columns)} // rows, columns, pixels
		control(master, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	}
}

func TestTerminalWidth(t *testing.T) {
	// A terminal tells its width as it is when it is asked; a file, a buffer and a dumb terminal get plain lines.
	terminal, resize := openTerminal(t)
	t.Setenv("TERM", "xterm")
	width := terminalWidth(terminal)
	if width == nil {
		t.Fatal("a terminal is taken for none")
	}
	for _, columns := range []int{80, 40, 0, 200} {
		resize(columns)
		if got := width(); got != columns {
			t.Errorf("%d columns: got %d", columns, got)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if terminalWidth(file) != nil || terminalWidth(&bytes.Buffer{}) != nil {
		t.Error("a file or a buffer is taken for a terminal")
	}
	t.Setenv("TERM", "dumb")
	if terminalWidth(terminal) != nil {
		t.Error("a dumb terminal is taken for one that can be drawn over")
	}
}

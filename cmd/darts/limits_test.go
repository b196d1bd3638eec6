package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestLittleMemory(t *testing.T) {
	// One line says what is wanted when the limits of the process leave too little memory to start.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ limit, want string }{
		{"--as=700000000", "darts: the address space of this process is limited to 700 MB (ulimit -v), want 3000 or more\n"},
		{"--as=2000000000", "darts: the address space of this process is limited to 2000 MB (ulimit -v), want 3000 or more\n"},
		{"--data=100000000", "darts: the data of this process is limited to 100 MB (ulimit -d), want 1000 or more\n"},
		{"--data=700000000", "darts: the data of this process is limited to 700 MB (ulimit -d), want 1000 or more\n"},
		{"--as=3000000000", ""},
		{"--data=1000000000", ""},
	} {
		var stderr bytes.Buffer
		p := exec.Command("prlimit", test.limit, darts, "version")
		p.Stderr = &stderr
		err := p.Run()
		if stderr.String() != test.want || (err == nil) != (test.want == "") {
			t.Errorf("%s: %v, stderr %q, want %q", test.limit, err, strings.TrimSpace(stderr.String()), test.want)
		}
	}
}

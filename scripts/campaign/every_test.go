package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestKillAfter(t *testing.T) {
	// A process is killed after its n-th successful call on a file of the trial, and all earlier calls have happened.
	if lack := noStrace(); lack != "" {
		t.Skip(lack)
	}
	fake := filepath.Join(t.TempDir(), "fake")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho a >a; sh -c 'echo b >b; echo more >>b'; echo said; echo c >c"), 0o755); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{
		1: "map[a:]", 2: "map[a:a\n]", 3: "map[a:a\n b:]", 4: "map[a:a\n b:b\n]", 5: "map[a:a\n b:b\n]", 6: "map[a:a\n b:b\nmore\n]",
		7: "map[a:a\n b:b\nmore\n c:]", 8: "map[a:a\n b:b\nmore\n c:c\n]", 9: "map[a:a\n b:b\nmore\n c:c\n]",
	} {
		if n == 0 {
			continue
		}
		c := &campaign{darts: fake, dir: t.TempDir(), out: io.Discard}
		of := c.newTrial("kill", n)
		if killed := of.killAfter(n); killed != (n < 9) {
			t.Errorf("call %d: killed %v", n, killed)
		}
		files, err := snapshot(of.dir)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, content := range files {
			got[name] = string(content)
		}
		if n >= 3 && n <= 6 { // the inner process was killed, and the outer one goes on
			if got["c"] != "c\n" {
				t.Errorf("call %d: left %q", n, got)
			}
			delete(got, "c")
		}
		if fmt.Sprint(got) != want || len(of.wrong) > 0 {
			t.Errorf("call %d: left %v, want %s; %q", n, got, want, of.wrong)
		}
	}
}

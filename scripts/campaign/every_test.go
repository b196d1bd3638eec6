package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestKillAfter(t *testing.T) {
	// A process is killed when its n-th call on a file of the trial has worked, and no earlier one is missing.
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
		got := contents(t, of.dir)
		if n >= 3 && n <= 6 { // the process inside was killed, and the one outside goes on
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

func TestSums(t *testing.T) {
	// Kills and power cuts have the same sum exactly when the same files and folders are left.
	left := map[[sha256.Size]byte]string{}
	sums := map[string][sha256.Size]byte{}
	d := newDevice()
	for n, call := range powerCalls(t) {
		d.apply(call)
		for _, cut := range append([]loss{{none: true}}, cuts...) {
			dir := t.TempDir()
			if err := d.afterCut(dir, cut); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(filepath.Join(dir, runFolder))
			text := fmt.Sprint(err == nil, contents(t, dir))
			sum := d.root.sum(cut)
			if other, ok := left[sum]; ok && other != text {
				t.Errorf("call %d: the same sum for %s and %s", n+1, text, other)
			}
			if other, ok := sums[text]; ok && other != sum {
				t.Errorf("call %d: another sum for %s", n+1, text)
			}
			left[sum], sums[text] = text, sum
		}
	}
	if len(left) < 6 {
		t.Errorf("%d different folders", len(left))
	}
}

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// packaging is the folder of what scripts/release puts around the program.
const packaging = "../../scripts/packaging"

func TestLauncher(t *testing.T) {
	// The launcher starts the program with the libtorch of $LIBTORCH, else that beside it, and says how to get one where there is none.
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(packaging, "launcher"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("@MINOR@"), []byte("2.11"))
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put("app/bin/darts", string(text))
	put("app/lib/godarts/darts", "#!/bin/sh\necho \"$LD_LIBRARY_PATH: $@\"\n")
	put("given/lib/libtorch_cpu.so", "")
	put("env/bin/python3", "#!/bin/sh\ncat >/dev/null\necho \"$TORCH\"\n")
	if err := os.Symlink(filepath.Join(dir, "app/bin/darts"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	call := func(environment ...string) (string, error) {
		cmd := exec.Command(filepath.Join(dir, "link"), "train", "a b")
		cmd.Env = append([]string{"PATH=" + filepath.Join(dir, "env/bin") + ":/usr/bin:/bin"}, environment...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, test := range []struct {
		name, environment, want string
	}{
		{"none", "TORCH=", "darts: libtorch 2.11 is missing."},
		{"of Python", "TORCH=/py/torch", "/py/torch/lib: train a b\n"},
		{"given", "LIBTORCH=" + filepath.Join(dir, "given"), filepath.Join(dir, "given/lib") + ": train a b\n"},
		{"given, without libraries", "LIBTORCH=" + dir, "darts: LIBTORCH=" + dir + " has no lib/libtorch_cpu.so\n"},
	} {
		out, err := call(test.environment)
		if !strings.HasPrefix(out, test.want) || (err != nil) != strings.HasPrefix(out, "darts: ") {
			t.Errorf("%s: %v, %q, want %q", test.name, err, out, test.want)
		}
	}
	put("app/libtorch/lib/libtorch_cpu.so", "")
	if out, err := call("TORCH=/py/torch"); err != nil || !strings.HasSuffix(out, "/app/bin/../libtorch/lib: train a b\n") {
		t.Errorf("beside: %v, %q", err, out)
	}
}

func TestWheel(t *testing.T) {
	// A wheel has the program with its mode, a checksum of each file, and the same bytes when it is written again.
	program := filepath.Join(t.TempDir(), "darts")
	if err := os.WriteFile(program, []byte("program"), 0o644); err != nil {
		t.Fatal(err)
	}
	build := func() []byte {
		dir := t.TempDir()
		cmd := exec.Command("python3", filepath.Join(packaging, "wheel.py"), dir, "1.2.3", "py3-none-any", "2.11.0", program, "../../LICENSE")
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		content, err := os.ReadFile(filepath.Join(dir, "godarts-1.2.3-py3-none-any.whl"))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	wheel := build()
	if !bytes.Equal(wheel, build()) {
		t.Error("a second wheel has other bytes")
	}
	archive, err := zip.NewReader(bytes.NewReader(wheel), int64(len(wheel)))
	if err != nil {
		t.Fatal(err)
	}
	record, lines := "", ""
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "godarts/bin/darts" && f.Mode() != 0o755 {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
		if strings.HasSuffix(f.Name, "/RECORD") {
			record, lines = string(text), lines+f.Name+",,\n"
			continue
		}
		sum := sha256.Sum256(text)
		lines += fmt.Sprintf("%s,sha256=%s,%d\n", f.Name, base64.RawURLEncoding.EncodeToString(sum[:]), len(text))
	}
	if record != lines {
		t.Errorf("RECORD is\n%s\nwant\n%s", record, lines)
	}
}

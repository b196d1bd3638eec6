package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// execute runs a command that has to succeed, and returns what it prints.
func execute(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(args, &stdout, &stderr); status != exitOK {
		t.Fatalf("%q: status %d, %s", args, status, stderr.String())
	}
	return stdout.String()
}

func TestClassify(t *testing.T) {
	// The error on a folder of labelled images is that of darts test, for a run, its export and its weights; lines of JSON have the same classes, and an image on standard input gives what its file gives.
	for _, augment := range []string{"crop", "imagenet"} { // whole images, and the middle of them
		t.Run(augment, func(t *testing.T) { classifyLike(t, augment) })
	}
}

func classifyLike(t *testing.T, augment string) {
	photos, dir := exportDigits(t, 400), t.TempDir()
	trained, exported := filepath.Join(dir, "run"), filepath.Join(dir, "exported")
	training := writeFile(t, "training.yaml", strings.Replace(tinyTraining, "{name: digits, subset: 36,", "{name: imagefolder, root: "+photos+", size: 12, channels: 1, augment: "+augment+",", 1))
	execute(t, "train", training, "--threads", "1", "--out", trained, "--set", "epochs=3")
	execute(t, "export", trained, "-o", exported)
	want, _, _ := strings.Cut(strings.TrimPrefix(execute(t, "test", trained), "test "), ",")
	if !regexp.MustCompile(`^error [1-9][0-9.]* %$`).MatchString(want) {
		t.Fatalf("darts test says %q", want)
	}
	val := filepath.Join(photos, "val")
	var tables []string
	for _, network := range []string{trained, exported, filepath.Join(trained, "weights.safetensors"), filepath.Join(exported, "weights.safetensors")} {
		tables = append(tables, execute(t, "classify", network, val, "--batch", "7", "--top", "2"))
		if !strings.HasSuffix(tables[0], "\n"+want+" of 80 images\n") || tables[len(tables)-1] != tables[0] {
			t.Errorf("%s: want %s, got ...%s", network, want, tables[len(tables)-1][max(0, len(tables[0])-200):])
		}
	}
	lines := strings.Split(strings.TrimSpace(tables[0]), "\n")
	if first := strings.Fields(lines[0]); len(lines) != 82 || strings.Join(first, " ") != "image label class next" {
		t.Errorf("%d lines, the first is %q", len(lines), first)
	}

	var first struct {
		File, Label string
		Classes     []guess
	}
	jsonLines := execute(t, "classify", trained, val, "--json")
	if err := json.Unmarshal([]byte(strings.SplitN(jsonLines, "\n", 2)[0]), &first); err != nil || len(first.Classes) != 3 || first.Label != "0" {
		t.Fatalf("%+v, %v", first, err)
	}
	if row := strings.Fields(lines[1]); row[0] != first.File || row[2] != first.Classes[0].Class {
		t.Errorf("the table has %q, the line %+v", row, first)
	}
	content, err := os.ReadFile(first.File)
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	o := classifyFlags{top: 3, batch: 1, json: true, device: "cpu"}
	if err := o.classify(trained, []string{"-"}, bytes.NewReader(content), &stdout); err != nil {
		t.Fatal(err)
	}
	alone := execute(t, "classify", trained, first.File, "--json")
	if got := strings.Replace(stdout.String(), `"file":"-"`, `"file":"`+first.File+`"`, 1); got != alone {
		t.Errorf("standard input gives %s, the file %s", got, alone)
	}

	broken := writeFile(t, "broken.png", "no image")
	var stderr bytes.Buffer
	stdout.Reset()
	if status := run([]string{"classify", trained, broken, first.File}, &stdout, &stderr); status != exitFailed ||
		stderr.String() != "darts: classify: images that could not be read: 1 of 2\n" || !strings.Contains(stdout.String(), "image: unknown format") {
		t.Errorf("a broken image: status %d, %s%s", status, stdout.String(), stderr.String())
	}
}

func TestClassifyUsage(t *testing.T) {
	// What names no network or no image is refused with a line that says which.
	empty := t.TempDir()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{empty, filepath.Join(empty, "x.png")}, "x.png: no such file"},
		{[]string{empty, empty}, "classify: " + empty + " holds no image, want files such as .bmp, "},
		{[]string{empty, "-", "-"}, "classify: - stands for the image on standard input, and goes with no other"},
		{[]string{empty, empty, "--top", "0"}, "classify: --top 0: wanted 1 or more"},
		{[]string{empty, empty, "--batch", "0"}, "classify: --batch 0: wanted 1 to 65536"},
		{[]string{empty}, "classify: a RUN, EXPORT or file of weights and one or more images or folders wanted, 1 given"},
		{[]string{empty, writeFile(t, "a.png", "")}, " has no trained network: "},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"classify"}, test.args...), &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%q: status %d, %s", test.args, status, stderr.String())
		}
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// hostile is a name that would colour a terminal, begin a line and turn the direction.
const hostile = "\x1b[31mred\n\u202ea"

// forTerminal fails the test if text would act on a terminal, or lacks the hostile name.
func forTerminal(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(text, "[31mred") {
		t.Errorf("the name is missing in %q", text)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' || r == '\u202e' {
			t.Fatalf("%U stands in %q", r, text)
		}
	}
}

func TestHostileNames(t *testing.T) {
	// One line comes back, without any control character, when a name on the command line or in a file has some.
	dir := t.TempDir()
	config := writeFile(t, "tiny.yaml", tinyConfig)
	training := writeFile(t, "training.yaml", tinyTraining)
	quoted := `"\e[31mred\n\u202Ea"` // as YAML has it
	file := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	folder := filepath.Join(dir, hostile)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"command":               {hostile},
		"flag":                  {"search", "--" + hostile},
		"config":                {"search", hostile},
		"config there":          {"search", file(hostile+".yaml", "epoch: 2")},
		"key":                   {"search", file("key.yaml", "experiment: search\n"+quoted+": 1")},
		"value":                 {"search", file("value.yaml", "experiment: search\nstrategy: {name: "+quoted+"}")},
		"list":                  {"search", file("list.yaml", "experiment: search\nspace: {operations: ["+quoted+"]}")},
		"extends":               {"search", file("extends.yaml", "extends: "+quoted)},
		"item":                  {"search", config, "--set", hostile},
		"device":                {"search", config, "--device", hostile},
		"interval":              {"search", config, "--checkpoint-every", hostile},
		"resume":                {"search", "--resume", hostile},
		"data.root":             {"search", config, "--set", "data.name=cifar10", "--set", "data.root=" + quoted, "--out", filepath.Join(dir, "r")},
		"genotype":              {"train", training, "--genotype", hostile},
		"genotype file":         {"train", training, "--genotype", file("g.txt", "Genotype(normal=[('"+hostile+"', 0)])")},
		"genotype's field":      {"train", training, "--genotype", "Genotype(" + hostile + "=[])"},
		"weights":               {"test", training, "--weights", hostile},
		"run":                   {"test", hostile},
		"info":                  {"info", hostile + ".yaml"},
		"draw":                  {"draw", hostile},
		"data":                  {"data", "get", hostile},
		"rival of a benchmark":  {"bench", "--against", hostile},
		"repeat":                {"repeat", "--resume", hostile},
		"compare":               {"compare", hostile},
		"folder of the results": {"export", hostile, "-o", dir},
		"ONNX of a run":         {"export", hostile, "--onnx", filepath.Join(dir, "x")},
		"network of images":     {"classify", hostile, training},
		"image":                 {"classify", dir, hostile},
		"folder of images":      {"classify", dir, folder},
		"language model":        {"generate", hostile},
		"network to measure":    {"latency", hostile},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(args, &stdout, &stderr); status == exitOK {
				t.Fatalf("status %d", status)
			}
			forTerminal(t, stdout.String()+stderr.String())
			if strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("not one line: %q", stderr.String())
			}
		})
	}
}

func TestHostileFolder(t *testing.T) {
	// A training in a folder of such a name, or one with a space, goes on by the line that it prints.
	training := writeFile(t, "training.yaml", tinyTraining)
	for _, name := range []string{hostile, "my runs"} {
		dir := filepath.Join(t.TempDir(), name, "it's")
		var stdout, stderr bytes.Buffer
		if status := run([]string{"train", training, "--threads", "1", "--out", dir}, &stdout, &stderr); status != exitOK {
			t.Fatalf("status %d, stderr %q", status, stderr.String())
		}
		if name == hostile {
			forTerminal(t, stdout.String())
		}
		stderr.Reset()
		if status := run([]string{"train", training, "--out", dir}, &stdout, &stderr); status != exitUsage {
			t.Fatalf("status %d", status)
		}
		want := map[string]string{
			hostile:   `--resume $'` + filepath.Dir(filepath.Dir(dir)) + `/\033[31mred\012\342\200\256a/it\'s', or`,
			"my runs": `--resume '` + filepath.Dir(filepath.Dir(dir)) + `/my runs/it'\''s', or`,
		}[name]
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("got %q, want %q in it", stderr.String(), want)
		}
	}
}

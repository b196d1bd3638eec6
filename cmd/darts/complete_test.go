package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// completions asks the program what may stand where the last of the words does, and leaves out
// what does not start as that word, as a shell does. The directive tells the shell what else may.
func completions(t *testing.T, words ...string) (directive string, found []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(printed(t, append([]string{"__complete"}, words...)...), "\n"), "\n")
	directive = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(line, "\t")
		if directive == extensions || strings.HasPrefix(word, words[len(words)-1]) || strings.HasPrefix(words[len(words)-1], "-") {
			found = append(found, word)
		}
	}
	return directive, found
}

// Directives to a shell, sums of cobra's.
const (
	files       = ":0"
	noFiles     = ":4"
	noSpace     = ":6" // and no files
	extensions  = ":8"
	onlyFolders = ":16"
)

func TestCompletion(t *testing.T) {
	// Every kind of word is completed when a shell asks for it: commands, flags, files, keys, their values, cells, folders.
	t.Chdir(t.TempDir())
	for _, file := range []string{"runs/second-3/config.yaml", "runs/second-4/config.yaml", "runs/notes/text", "mine/config.yaml", "runs/whole/config/repeat.yaml", "exported/genotype.txt"} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, words string // with spaces between
		directive   string
		want        []string // all that is found
	}{
		{"command", "sea", noFiles, []string{"search"}},
		{"folder of runs", "serve ", onlyFolders, nil},
		{"command by help", "help ex", noFiles, []string{"export"}},
		{"flag", "search --che", noFiles, []string{"--checkpoint-every"}},
		{"config", "search ", extensions, []string{"yaml", "yml"}},
		{"second config", "search a.yaml ", noFiles, nil},
		{"config of a comparison", "compare ", extensions, []string{"yaml", "yml"}},
		{"key", "search a.yaml --set w.lr", noSpace, []string{"w.lr=", "w.lr_min=", "w.lr_decay="}},
		{"key of another experiment", "search --set repeat.", noSpace, nil},
		{"key of a protocol", "repeat --set repeat.trai", noSpace, []string{"repeat.trains="}},
		{"key of a protocol's search", "repeat --set search.strategy.ord", noSpace, []string{"search.strategy.order="}},
		{"value", "search --set strategy.name=p", noFiles, []string{"strategy.name=p-darts", "strategy.name=pc-darts"}},
		{"value of a protocol's search", "repeat --set search.strategy.order=", noFiles, []string{"search.strategy.order=1", "search.strategy.order=2"}},
		{"true or false", "train --set network.auxiliary=", noFiles, []string{"network.auxiliary=true", "network.auxiliary=false"}},
		{"number", "search --set epochs=", noFiles, nil},
		{"published cell as a value", "train --set genotype=NAS", noFiles, []string{"genotype=NASNet"}},
		{"published cell", "train --genotype DARTS_V", noFiles, []string{"DARTS_V1", "DARTS_V2"}},
		{"published cell to draw", "draw EN", noFiles, []string{"ENAS", "ENAS_MICRO"}},
		{"cell of a run", "train --genotype runs/s", noFiles, []string{"runs/second-3", "runs/second-4"}},
		{"cell in a file", "draw some/f", files, nil},
		{"run to go on with", "search --resume ru", noFiles, []string{"runs/second-3", "runs/second-4"}},
		{"protocol to go on with", "repeat --resume ", noFiles, []string{"runs/whole"}},
		{"run with a slash", "search --resume=./runs/second-4", noFiles, []string{"./runs/second-4"}},
		{"run outside of runs", "test m", noFiles, []string{"mine"}},
		{"export to test", "test ex", noFiles, []string{"exported"}},
		{"folder that is no run", "test runs/n", onlyFolders, nil},
		{"folder to make", "search --out ", onlyFolders, nil},
		{"file to write", "bench --json ", files, nil},
		{"weights", "test --weights ", extensions, []string{"safetensors", "pt", "pth"}},
		{"device", "search --device c", noFiles, []string{"cpu", "cuda"}},
		{"rows", "bench --rows train,second", noSpace, []string{"train,second-order"}},
		{"number of a flag", "search --seed ", noFiles, nil},
		{"action", "data ", noFiles, []string{"get", "export"}},
		{"data set to get", "data get cifar", noFiles, []string{"cifar10", "cifar100"}},
		{"table to get", "data get nas", noFiles, []string{"nasbench201"}},
		{"no text to export", "data export p", noFiles, nil},
		{"folder of an export", "data export digits ", onlyFolders, nil},
		{"shell", "completion ", noFiles, []string{"bash", "zsh", "fish"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			directive, found := completions(t, strings.Split(test.words, " ")...)
			if directive != test.directive || !slices.Equal(found, test.want) {
				t.Errorf("%s: got %s %q, want %s %q", test.words, directive, found, test.directive, test.want)
			}
		})
	}
	_, commands := completions(t, "")
	if !slices.Contains(commands, "genotypes") || slices.Contains(commands, "man") {
		t.Errorf("the commands are %q", commands)
	}
}

func TestCompletionScripts(t *testing.T) {
	// A script comes out for each shell, which bash reads and completes a key and its value by.
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if script := printed(t, "completion", shell); !strings.Contains(script, "__complete") {
			t.Errorf("%s: the script asks for nothing:\n%s", shell, script)
		}
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// What Bash's own completion does before it calls a function, without its package of functions.
	const ask = `
compopt() { :; }
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
source <("$0" completion bash)
COMP_TYPE=9 COMP_WORDS=("$0" "$@") COMP_CWORD=$# COMP_LINE="$0 $*" COMP_POINT=10000
__start_darts
printf '%s\n' "${COMPREPLY[@]}"`
	for words, want := range map[string]string{
		"sea":                              `^search\s*\n$`,
		"search --set strategy.ord":        `^(strategy\.)?order=\n$`,
		"search --set strategy.order=":     `^1\n2\n$`,
		"train --genotype DARTS_V":         `^DARTS_V1\nDARTS_V2\n$`,
		"search --set data.name=synthetic": `^synthetic\nsynthetic-text\n$`,
	} {
		command := exec.Command("bash", append([]string{"-c", ask, darts}, strings.Split(words, " ")...)...)
		out, err := command.CombinedOutput()
		if err != nil || !regexp.MustCompile(want).Match(out) {
			t.Errorf("%s: %v, got %q, want %q", words, err, out, want)
		}
	}
}

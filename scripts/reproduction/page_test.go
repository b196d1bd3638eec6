package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/plan"
	"godarts/torch"
)

// written writes the page of the protocol in dir and returns it. Every picture that it names has to lie beside it.
func written(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "docs", "page.md")
	if err := run([]string{"-o", out, "--machine", "a machine", dir}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if utf8.RuneCountInString(line) > 121 && !strings.HasPrefix(line, "|") {
			t.Errorf("a line of %d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
	named := regexp.MustCompile(`!\[[a-z ]+\]\(([^)]+)\)`).FindAllStringSubmatch(string(text), -1)
	for _, m := range named {
		picture, err := os.ReadFile(filepath.Join(filepath.Dir(out), m[1]))
		if err != nil || !strings.Contains(string(picture), "<svg") {
			t.Errorf("picture %s: %v, %.60s", m[1], err, picture)
		}
	}
	if files, err := os.ReadDir(filepath.Join(filepath.Dir(out), pictures)); err != nil || len(files) != len(named) {
		t.Errorf("%d pictures are written, %d named: %v", len(files), len(named), err)
	}
	return string(text)
}

func TestPage(t *testing.T) {
	// The page says how far each part is and compares nothing while the protocol goes on, and has the result beside the published one at its end.
	whole, err := config.LoadWhole("protocol-cifar10-first.toy", "repeat.searches=1", "repeat.trains=2", "repeat.brief.epochs=0", "search.seed=7")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	repeat := func(stopAfter string) error {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		s := plan.Settings{Settings: nas.Settings{Device: torch.CPU, Hooks: []nas.Hooks{{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
			if fmt.Sprintf("%s/%d", filepath.Base(r.Dir), e.Index+1) == stopAfter {
				stop()
			}
			return nil
		}}}}}
		_, err := plan.Repeat(ctx, dir, whole, s)
		return err
	}
	wantAll := func(page string, want ...string) {
		t.Helper()
		for _, expression := range want {
			if !regexp.MustCompile(expression).MatchString(page) {
				t.Errorf("no %s in\n%s", expression, page)
			}
		}
	}

	if err := repeat("search-7/1"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	page := written(t, dir)
	wantAll(page, `\*\*The protocol is not complete, so it has no result to compare.\*\*`, `\n3.00 ± 0.14 % \(arXiv 1806.09055 table 1\)\.\n`,
		`No training of a found cell has begun`, `\| search-7 \| 7 \| 1 of 2 \| validation error \d+\.\d\d % \|`, `Of search-7 after 1 of 2 epochs`,
		"but for:\n\n(- .*\n)*- repeat.searches: 4 there, 1 here\n", `(?m)^- search.seed: 2 there, 7 here$`, `(?m)^- train.network.channels: 36 there, 4 here$`, `(?m)^a machine\.$`, `page-searches\.svg`)
	if strings.Contains(page, "| here") || strings.Contains(page, "page-trainings.svg") {
		t.Errorf("a result before the end:\n%s", page)
	}

	if err := repeat("train-0/1"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	half, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(written(t, dir), `not complete`, fmt.Sprintf(`(?m)^train-0 has run 1 of its 2 epochs: test error %.2f %%\.$`, 100*(1-*half.trainings[0].Epochs[0].TestAccuracy)), `\| search-7 \| 7 \| 2 of 2 \|.*\| [1-9]\d* \| 0\.\d\d GB \|`, `\| search-7 \| 7 \| 2 of 2 \|`, `\| brief-7 \| 0 \| 0 of 0 \| validation error`, `page-trainings\.svg`)

	if err := repeat(""); err != nil {
		t.Fatal(err)
	}
	page = written(t, dir)
	p, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.result.Trainings[0].TestError, p.result.Trainings[1].TestError
	wantAll(page, regexp.QuoteMeta(fmt.Sprintf("| here, 2 trainings | %.2f ± ", (a+b)/2)), `\| published, for other settings \| 3.00 ± 0.14 % \(arXiv 1806.09055 table 1\) \|`,
		regexp.QuoteMeta(fmt.Sprintf("| train-1 | 1 | 2 of 2 | test error %.2f %% |", b)), `page-normal\.svg`, `page-reduce\.svg`, `Genotype\(normal=`)
	if strings.Contains(page, "not complete") {
		t.Errorf("complete, and the page says\n%s", page)
	}
}

func TestRefused(t *testing.T) {
	// One line says what is wrong, and nothing is written, when the arguments name no protocol of the paper.
	dir := t.TempDir()
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, `^one folder of a protocol wanted, 0 given$`},
		{[]string{dir}, `holds no protocol: there is no .*/config/repeat.yaml$`},
		{[]string{"-o", "page.html", dir}, `^-o page.html: wanted a name that ends in .md$`},
	} {
		if err := run(test.args, io.Discard, io.Discard); err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
			t.Errorf("%q: %v, want %s", test.args, err, test.want)
		}
	}
}

package godarts_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// pagesOf reads every Markdown file of the repository, by its path.
func pagesOf(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (len(name) > 1 && name[0] == '.' || name == "runs" || name == "bin"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		pages[path] = string(text)
		return err
	})
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return pages
}

func TestPagesFit(t *testing.T) {
	// No line of a page is longer than 120 characters, but for rows of tables and words that cannot be broken, and README has 150 lines at most, when all pages are read.
	for name, page := range pagesOf(t) {
		n := 0
		for line := range strings.Lines(page) {
			n++
			line = strings.TrimRight(line, "\n")
			unbreakable := len(strings.Fields(strings.TrimLeft(line, "-*> "))) == 1
			if utf8.RuneCountInString(line) > 120 && !strings.HasPrefix(line, "|") && !unbreakable {
				t.Errorf("%s:%d: %d characters, want 120 at most", name, n, utf8.RuneCountInString(line))
			}
		}
		if name == "README.md" && n > 150 {
			t.Errorf("%s: %d lines, want 150 at most", name, n)
		}
	}
}

// anchor is the name that a heading has in links.
func anchor(heading string) string {
	heading = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(heading, " ", "-")
}

func TestLinksLead(t *testing.T) {
	// Every link from a page to a file of the repository, and to a heading of a page, leads somewhere when it is followed.
	pages := pagesOf(t)
	headings := map[string]bool{}
	for name, page := range pages {
		for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
			headings[name+"#"+anchor(m[1])] = true
		}
	}
	found := 0
	for name, page := range pages {
		from := filepath.Dir(name)
		if name == "nas/config/reference.md" {
			from = "docs" // of whose config.md it is the beginning
		}
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			file, heading, linked := strings.Cut(m[1], "#")
			if file == "" {
				file = name
			} else {
				file = filepath.Join(from, file)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: link %s: %v", name, m[1], err)
			}
			if linked && !headings[file+"#"+heading] {
				t.Errorf("%s: link %s: no such heading", name, m[1])
			}
		}
	}
	if found < 80 {
		t.Errorf("%d links", found)
	}
}

func TestFilesOfPages(t *testing.T) {
	// Every Go file that ARCHITECTURE.md and docs name by its path is there when they are read.
	found := 0
	for name, page := range pagesOf(t) {
		if name != "ARCHITECTURE.md" && filepath.Dir(name) != "docs" {
			continue
		}
		for _, file := range regexp.MustCompile(`\b(?:cells|cmd|darts|nas|scripts|torch)/[a-z0-9_/]+\.go\b`).FindAllString(page, -1) {
			found++
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d files are named", found)
	}
}

func TestFiguresAgree(t *testing.T) {
	// README's figures are those of docs/performance.md and docs/results.md when all are read.
	pages := pagesOf(t)
	_, speed, _ := strings.Cut(pages["README.md"], "\n## Speed\n")
	speed, _, _ = strings.Cut(speed, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| .* s \|.*$`).FindAllString(speed, -1)
	if len(rows) < 5 {
		t.Errorf("%d rows of speed", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(pages["docs/performance.md"], row+"\n") {
			t.Errorf("docs/performance.md has no row %s", row)
		}
	}
	_, quick, _ := strings.Cut(pages["README.md"], "\n## Quickstart\n")
	quick, _, _ = strings.Cut(quick, "\n## ")
	lines := regexp.MustCompile(`(?m)^    .*$`).FindAllString(quick, -1)
	if len(lines) != 10 {
		t.Errorf("%d lines of the quickstart's output, want 10", len(lines))
	}
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "...")
		if !strings.Contains(pages["docs/results.md"], "\n"+line) {
			t.Errorf("docs/results.md has no line %s", line)
		}
	}
}

func TestRecordingsDescribed(t *testing.T) {
	// testdata/README.md has a row for every recording when the folders are listed.
	page := pagesOf(t)["testdata/README.md"]
	var patterns []string
	for row := range strings.Lines(page) {
		if first := strings.SplitN(row, "|", 3); len(first) == 3 {
			patterns = append(patterns, regexp.MustCompile(`[a-z][a-z0-9_.*]+`).FindAllString(first[1], -1)...)
		}
	}
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		described := slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := filepath.Match(strings.TrimSuffix(pattern, ".json"), name)
			return err == nil && ok
		})
		if !described && name != "cut" {
			t.Errorf("%s has no row", file)
		}
	}
}

func TestFaultsNameTests(t *testing.T) {
	// Every test that docs/faults.md names is there, in the package beside it, when the page is read.
	page, err := os.ReadFile("docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(page)) {
		columns := strings.Split(line, "|")
		if len(columns) < 5 {
			continue
		}
		// `nas` TestA, TestB; `torch` TestC
		for part := range strings.SplitSeq(columns[3], ";") {
			folders := regexp.MustCompile("`([a-z/0-9]+)`").FindAllStringSubmatch(part, -1)
			for _, name := range regexp.MustCompile(`Test[A-Z]\w*`).FindAllString(part, -1) {
				found++
				for _, folder := range folders {
					if err := exec.Command("grep", "-rqs", "--include=*_test.go", "^func "+name+"(t ", folder[1]).Run(); err != nil {
						t.Errorf("%s has no %s", folder[1], name)
					}
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("%d tests are named", found)
	}
}

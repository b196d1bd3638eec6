package godarts_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

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

package model_test

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/train"
	"godarts/torch"
)

// classify is the program of docs/tutorial-2-your-images.md, in which TestTutorialClassifies
// looks for it: everything from the first line to the last.
func classify(img image.Image) error {
	err := torch.Do(func() error {
		m, err := model.LoadModel("exported", torch.Device{})
		if err != nil {
			return err
		}
		probabilities, err := m.Classify(img) // an image.Image of any size, such as image.Decode gives
		if err != nil {
			return err
		}
		fmt.Println(m.ClassNames(), probabilities)
		return nil
	})
	return err
}

func TestTutorialClassifies(t *testing.T) {
	// The tutorial's program is the one above, and classifies an image when a run was exported as the tutorial says.
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := read("../../docs/tutorial-2-your-images.md")
	_, block, _ := strings.Cut(page, "```go\n")
	block, _, ok := strings.Cut(block, "```\n")
	indented := strings.ReplaceAll("\t"+strings.TrimSuffix(block, "\n"), "\n", "\n\t") + "\n"
	if !ok || !strings.Contains(read("tutorial_test.go"), "error {\n"+indented+"\treturn err\n") {
		t.Errorf("the program of tutorial 2 is not the body of classify:\n%s", block)
	}
	c, err := config.Load("../testdata/tiny-train.yaml", "epochs=1")
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), run, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if _, err := model.Export(run, "exported", false); err != nil {
		t.Fatal(err)
	}
	if err := classify(image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Error(err)
	}
}

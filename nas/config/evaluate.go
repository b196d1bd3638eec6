package config

import "strings"

// Evaluate asks a search to train, at its end, the found cell and Random random cells of the
// same space. Data, but for batch and cutout, dtype and seed are those of the search.
type Evaluate struct {
	Random  int               `key:"random" range:"[0,)" most:"10000" doc:"random cells of the same space to train beside the found one"`
	Batch   int               `key:"batch" range:"[1,)" doc:"images per step when cells are evaluated"`
	Cutout  int               `key:"cutout" range:"[0,)" doc:"as data.cutout, when cells are evaluated"`
	Network EvaluationNetwork `key:"network"`
	W       W                 `key:"w"`
	Epochs  int               `key:"epochs" range:"[0,)" doc:"passes over the training images for each evaluated cell"`
}

// Expect is the published result a report compares with: of images errors in percent, of texts
// a perplexity.
type Expect struct {
	TestError float64 `key:"test_error" of:"images" range:"[0,100]" doc:"published test error in percent"`
	TopFive   float64 `key:"top_five" of:"images" range:"[0,100]" doc:"published top-5 test error in percent; 0 if not published"`
	Std       float64 `key:"std" of:"images" range:"[0,100]" doc:"its standard deviation over runs, in percent; 0 if not published"`

	TestPerplexity float64 `key:"test_perplexity" of:"texts" range:"[1,)" doc:"published test perplexity"`

	Source string `key:"source" doc:"where the number was published"`

	Changed []string `key:"changed" doc:"keys in which the settings differ from those of the published figure, which is printed with them; loading a config adds those that it changes"`
}

// Title is what a published figure is printed after: "published", with the keys that are
// set otherwise.
func (e *Expect) Title() string {
	if len(e.Changed) == 0 {
		return "published"
	}
	return "published, but with another " + strings.Join(e.Changed, ", ")
}

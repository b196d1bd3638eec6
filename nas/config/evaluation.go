package config

import (
	"strings"

	"godarts/nas/config/axes"
)

// trainKey is the key that says how found cells are trained: the file of a train experiment, or keys of one.
const trainKey = "evaluate.train"

// Evaluate says how cells that were found are trained from scratch, and how many random cells of the same space beside
// them. In a file evaluate.train is the name of a train experiment, or has keys of one.
//
// A search trains the cell that it finds. Of the training it takes the keys of Train; other settings of the data, the
// element type and the seed are those of the search. A protocol and a comparison train as File and the keys say: their
// Whole and NetworkComparison have the result.
type Evaluate struct {
	File   string             `key:"train" only:"repeat compare" path:"true" nonempty:"true" doc:"how found cells are trained: config of a training, a path from this file's folder, or keys of one"`
	Train  EvaluationTraining `key:"train" only:"search"`
	Random int                `key:"random" range:"[0,)" most:"10000" doc:"random cells of the same space to train beside the found ones"`
}

// EvaluationTraining are the keys of a training that a search gives the training of the cell it finds.
type EvaluationTraining struct {
	Data    EvaluationData    `key:"data"`
	Network EvaluationNetwork `key:"network"`
	W       W                 `key:"w"`
	Epochs  int               `key:"epochs" range:"[0,)" doc:"passes over the training images for each evaluated cell"`
}

// EvaluationData is how images are used when cells are evaluated.
type EvaluationData struct {
	Batch  int `key:"batch" range:"[1,)" doc:"images per step when cells are evaluated"`
	Cutout int `key:"cutout" range:"[0,)" doc:"as data.cutout, when cells are evaluated"`
}

// Expect is the published result that a report compares with: errors in percent on images, a perplexity on texts.
type Expect struct {
	TestError float64 `key:"test_error" of:"images" range:"[0,100]" doc:"published test error in percent"`
	TopFive   float64 `key:"top_five" of:"images" range:"[0,100]" doc:"published top-5 test error in percent; 0 if not published"`
	Std       float64 `key:"std" of:"images" range:"[0,100]" doc:"its standard deviation over runs, in percent; 0 if not published"`

	TestPerplexity float64 `key:"test_perplexity" of:"texts" range:"[1,)" doc:"published test perplexity"`

	Source string `key:"source" doc:"where the number was published"`

	Changed []string `key:"changed" doc:"keys in which the settings differ from those of the published figure, which is printed with them; loading a config adds those that it changes"`
}

// Title returns the words before a published figure: "published", with the keys whose settings differ.
func (e *Expect) Title() string {
	if len(e.Changed) == 0 {
		return "published"
	}
	return "published, but with another " + strings.Join(e.Changed, ", ")
}

// Protocol is how the paper measures a method. It searches with several seeds and trains each cell found for a
// short while on a part of the training images. It takes the cell with the least error on the rest, and trains
// that from scratch with several seeds (arXiv 1806.09055, sec. 3.1 and 3.2).
type Protocol struct {
	Search   string `key:"search" path:"true" nonempty:"true" doc:"config of the searches, a path from this file's folder"`
	Searches int    `key:"searches" range:"[1,)" most:"1000" doc:"number of searches; their seeds count up from the search's"`
	Brief    Brief  `key:"brief"`
	Trains   int    `key:"trains" range:"[1,)" most:"1000" doc:"trainings of the cell that was chosen; their seeds count up from the training's"`
}

// Brief has the settings of the short trainings that choose the cell.
type Brief struct {
	Epochs       int     `key:"epochs" range:"[0,)" doc:"epochs of the short training of each cell found, all with the training's seed"`
	TrainPortion float64 `key:"train_portion" range:"(0,1)" doc:"data.train_portion of the short trainings: the rest of the training images chooses the cell"`
}

// Values of Compare.Table.
const (
	NASBench201    = "nasbench201"
	SyntheticTable = "synthetic"
)

// Values of Compare.Dataset, besides CIFAR10 and CIFAR100.
const ImageNet16 = "imagenet16"

// Compare says how strategies are compared.
//
// On a table, which has the accuracy of every cell of a space, each strategy searches once for each of Seeds
// seeds, from Config.Seed on, and may look up Queries validation accuracies in each search.
//
// On networks, if Strategies is given, each strategy searches once, and the cell that it finds is trained with
// Seeds seeds, from the seed of Train on.
type Compare struct {
	Search     string     `key:"search" path:"true" doc:"on networks: config that all searches have in common, a path from this file's folder"`
	Strategies [][]string `key:"strategies" doc:"on networks: for each search the key=value items, over those of compare.search, that make its strategy"`

	Table     string     `key:"table" oneof:"nasbench201 synthetic" doc:"what strategies look up: nasbench201 (data.root/nasbench201), or synthetic (made up, built in)"`
	Dataset   string     `key:"dataset" oneof:"cifar10 cifar100 imagenet16" doc:"whose validation accuracy after 12 epochs a strategy is told"`
	Queries   int        `key:"queries" range:"[1,)" most:"100000" doc:"accuracies that a strategy may look up in one search"`
	Seeds     int        `key:"seeds" range:"[2,)" why:"one has no spread" most:"100000" doc:"searches of each strategy, with as many seeds; on networks trainings of its cell"`
	Evolution Evolution  `key:"evolution"`
	Reinforce Reinforce  `key:"reinforce"`
	Expect    *Published `key:"expect"`
}

// Evolution is regularized evolution.
type Evolution struct {
	Population int `key:"population" range:"[1,)" doc:"members alive at a time"`
	Sample     int `key:"sample" range:"[1,)" most:"1000000" doc:"members, drawn with replacement, of which the best has a child"`
}

// Reinforce is REINFORCE with logits for each edge.
type Reinforce struct {
	LR       float64 `key:"lr" range:"(0,)" doc:"Adam's learning rate of the logits"`
	Momentum float64 `key:"momentum" range:"[0,1)" doc:"part of the baseline, a moving average of accuracies, that a new one leaves"`
}

// Published has the published result of each strategy: mean and standard deviation over seeds of the test accuracy
// after 200 epochs, in percent, on the dataset that is looked up. Zeros mean that none was published.
type Published struct {
	Random    [2]float64 `key:"random" range:"[0,100]" doc:"published mean and standard deviation of random search, in percent; zeros if not published"`
	Evolution [2]float64 `key:"evolution" range:"[0,100]" doc:"as compare.expect.random, of evolution"`
	Reinforce [2]float64 `key:"reinforce" range:"[0,100]" doc:"as compare.expect.random, of reinforce"`
	Source    string     `key:"source" doc:"where the numbers were published"`
}

// SweepKeys say which runs a sweep makes: those of Base, with other values of some keys, each with several seeds.
type SweepKeys struct {
	Base    string     `key:"base" only:"sweep" path:"true" nonempty:"true" doc:"config of a search or a training that all runs have in common, a path from this file's folder"`
	Keys    axes.Axes  `key:"keys" only:"sweep" doc:"keys that differ between runs: each with a list of values, or with a range {from: A, to: B, scale: log} where draws is given; or a list of runs, each with its keys"`
	Draws   int        `key:"draws" only:"sweep" range:"[0,)" most:"10000" doc:"random draws from the lists and ranges of keys; 0 runs every combination of the lists"`
	Seeds   axes.Seeds `key:"seeds" only:"sweep" doc:"seeds of each run: how many, counted up from the base's, or a list of them"`
	Halving Halving    `key:"halving" only:"sweep"`
}

// Halving is successive halving: only the best runs of a rung go on to the next. A run counts for all its seeds.
type Halving struct {
	Rungs axes.Rungs `key:"rungs" doc:"epochs after which runs are compared on validation data, and the epochs of those that are left at the end; empty runs all to their end"`
	Keep  float64    `key:"keep" range:"(0,1)" doc:"part of the runs of a rung that goes on to the next, at least one"`
}

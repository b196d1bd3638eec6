package config

// Values of Compare.Table.
const (
	NASBench201    = "nasbench201"
	SyntheticTable = "synthetic"
)

// Values of Compare.Dataset, besides CIFAR10 and CIFAR100.
const ImageNet16 = "imagenet16"

// Compare says how strategies are compared.
//
// On a table of what every cell of a space reaches, each strategy searches once for each of
// Seeds seeds, from Config.Seed on, and in a search may look up Queries validation accuracies.
//
// On networks, which is when Strategies are given, each strategy searches once, and the cell it
// finds is trained with Seeds seeds, from Train's on.
type Compare struct {
	Search     string     `key:"search" path:"true" doc:"on networks: config that all searches have in common, a path from this file's folder"`
	Strategies [][]string `key:"strategies" doc:"on networks: for each search the key=value items, over those of compare.search, that make its strategy"`
	Train      string     `key:"train" path:"true" doc:"on networks: config of the trainings of the cells found, a path from this file's folder"`

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

// Published is what was published of each strategy: mean and standard deviation over seeds of
// the test accuracy after 200 epochs, in percent, on the dataset that was looked up. Zeros
// mean that nothing was.
type Published struct {
	Random    [2]float64 `key:"random" range:"[0,100]" doc:"published mean and standard deviation of random search, in percent; zeros if not published"`
	Evolution [2]float64 `key:"evolution" range:"[0,100]" doc:"as compare.expect.random, of evolution"`
	Reinforce [2]float64 `key:"reinforce" range:"[0,100]" doc:"as compare.expect.random, of reinforce"`
	Source    string     `key:"source" doc:"where the numbers were published"`
}

package config

// Pruned says that a training goes on with a network that was pruned.
type Pruned struct {
	Weights string `key:"weights" path:"true" doc:"file of weights that the training begins with; without one they are drawn"`
	Widths  string `key:"widths" doc:"channels that are left of each layer, in JSON, as the weights of a pruned network describe them; without them all are"`
	Epoch   int    `key:"epoch" range:"[0,)" doc:"epoch that the training begins with, of epochs: learning rate, drop-path and order of the images are those from there on"`
	Mask    bool   `key:"mask" doc:"what is 0 of the weights of convolutions and of the classifier in pruned.weights stays 0"`
}

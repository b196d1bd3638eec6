package config

// Protocol is how the paper measures a method: it searches with several seeds, trains each
// cell found for a short while on a part of the training images, takes the one with the
// least error on the rest, and trains that from scratch with several seeds (arXiv
// 1806.09055, sec. 3.1 and 3.2).
type Protocol struct {
	Search   string `key:"search" path:"true" nonempty:"true" doc:"config of the searches, a path from this file's folder"`
	Searches int    `key:"searches" range:"[1,)" most:"1000" doc:"number of searches; their seeds count up from the search's"`
	Brief    Brief  `key:"brief"`
	Train    string `key:"train" path:"true" nonempty:"true" doc:"config of the trainings, brief ones too, a path from this file's folder"`
	Trains   int    `key:"trains" range:"[1,)" most:"1000" doc:"trainings of the cell that was chosen; their seeds count up from the training's"`
}

// Brief is what the short trainings that choose the cell have of their own.
type Brief struct {
	Epochs       int     `key:"epochs" range:"[0,)" doc:"epochs of the short training of each cell found, all with the training's seed"`
	TrainPortion float64 `key:"train_portion" range:"(0,1)" doc:"data.train_portion of the short trainings: the rest of the training images chooses the cell"`
}

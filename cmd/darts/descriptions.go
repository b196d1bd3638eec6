package main

// descriptions are what manual pages say of the commands, beyond the line of help: how a command works, what it reads
// and writes, and how it ends.
var descriptions = map[string]string{
	"darts": `Searches cells of neural networks, by gradients of the architecture (DARTS and its variants) or by other
strategies, and trains networks of the cells that it finds. An experiment is a config in YAML; what it finds lies in a
run folder, from which an interrupted run goes on with the same bytes.

The exit status is 0 after success, 1 if a run or a part of it failed, 2 for wrong usage or a wrong config (no run
began), and 130 after an interrupt or the time of --for.`,

	"search": `Searches a cell as CONFIG says, which has "experiment: search". The run folder gets the resolved
config, a line of metrics for each epoch, checkpoints, and in the end the cell and drawings of it. With a section
"evaluate" the cell is trained afterwards, beside random cells.

A signal (Ctrl-C, SIGTERM, SIGHUP) ends the run after the step, with a checkpoint. --resume goes on from the newest
checkpoint, after a kill or a power cut too, and ends with the bytes of a run that nobody interrupted.`,

	"train": `Trains the network of a cell from scratch as CONFIG says, which has "experiment: train", and measures it
on the test images or the test text. The cell is the one that --genotype names, else the config's. The run folder gets
the resolved config, a line of metrics for each epoch, checkpoints, and in the end the result and weights.safetensors
under the names of the authors' code.

Signals and --resume work as those of darts search.`,

	"test": `Measures a trained network once more: that of a run or an export, or weights from elsewhere under the
names of the authors' code. Of a run that is not complete it measures the network of the newest checkpoint. Weights
that this program wrote say which cell, sizes and normalisation they belong to. Reading files of PyTorch executes
nothing in them.`,

	"repeat": `Follows the protocol of the paper: several searches with different seeds, a choice of the cell that
validates best, and several trainings of that cell, reported as mean and sample standard deviation. The parts lie in
sub-folders of the run folder. Processes on several machines that share the folder share the parts; a process takes
over a part whose process died.`,

	"compare": `Runs several strategies under one budget and compares what they find: on a table of the results of all
cells (NAS-Bench-201, or a made-up one), or on networks, where each strategy searches and its cell is trained with
several seeds. Tables and charts are written to the run folder. A comparison on networks goes on with what lies there,
also in any number of processes at once.`,

	"sweep": `Runs a search or a training again and again with other values of some keys: every combination of lists, a list
of runs, or random draws, each with several seeds. With successive halving only the best by validation results go on after
a number of epochs. It writes a table with the keys that differ, results, sizes and costs. The same line goes on after a
kill; any number of processes on machines that share the folder can run it at once, and no finished run is repeated.`,

	"info": `Prints what networks cost: weights, multiply-adds of one image, and the memory that training keeps of it.
A genotype stands for the networks of the paper, a config for the network that it makes, a run or an export for its
own. Nothing is computed but sizes.`,

	"quantise": `Makes a trained network of images compute in integers of 8 bits. Batch norms are joined with convolutions,
each tensor gets a scale by what training images give, each output channel of a weight one of its own. With --epochs the
network then trains in integers. Test errors and sizes are printed before and after. The run folder is that of a
training: darts test, classify and export --onnx take it, and after an interruption darts train --resume goes on with it.

Processors of Intel and AMD without VNNI add products in 16 bits, which clamp: --range reduced keeps weights of such
networks from -64 to 64. The default asks the processor of this machine, not of the one that the network is for.`,

	"classify": `Reads images of any size and format, scales and normalises them as the training did with test images, and
prints the likeliest classes of each. A DIR stands for all images below it, - for one on standard input. Where each image
lies in a folder that has the name of a class, the error is printed too, which is that of darts test. An image that
cannot be read has an error in its line; the others are classified, and the exit status is 1.`,

	"generate": `Goes on with a text: draws each next word from the probabilities that a trained language model gives it, reads
it, and so on. The end of a sentence is the end of a line. Equal seeds write equal texts. The dictionary is in an export;
that of a run is in the text that it was trained on, which has to be there.`,

	"latency": `Passes batches through a network on this machine, as a trained one is used: without auxiliary head, dropout
and gradients. Prints the median, and the times that 10 % and 90 % of the passes do not exceed. Weights are random, on
which the time does not depend. For a cell, or a search, these are the networks that the paper trains of it.

With --table it measures operations instead: each that the search of CONFIG may put on an edge, with the channels, the
side and the stride that it has in the network that the search's trainings make. The median goes into FILE, which
alpha.cost.table, strategy.cost.table and space.latency.table of a search name. What is there already is not measured
again; a FILE that was measured on another machine, or with other --batch, --threads or --device, is refused.`,

	"export": `Writes the network of a complete training for other programs: weights, genotype and a module of PyTorch
that rebuilds the network, or one file of ONNX. The module needs nothing of this program. Both give the same classes as
darts test, and logits that are equal up to rounding.`,

	"report": `Reads the records of runs and writes a page of them, or a table with a row for each run or for all runs that differ
in their seed only (--text, --csv, --markdown, --latex). A DIR stands for all runs below it. Reading changes nothing in
their folders.`,

	"plot": `Draws curves of runs over each other, or what one run learned, into one file. Letters keep their size whatever
the width. A legend names the keys in which runs differ. Several figures stand in a grid. Figures are drawn from what
runs have recorded, also while they go on.`,

	"runs": `Lists the runs below DIR, by default runs, with the trainings that belong to each: state, epochs, best figure, time
left and start. A run is running if a process of this machine holds the lock of its folder. The list reads the small
files and the ends of the long ones, so that a thousand runs take less than a second.`,

	"serve": `Shows the runs below DIR, by default the current folder, as pages for a browser, and prints their address. The
pages follow runs while they go: steps, epochs, the cell after each epoch, new runs. The server reads and changes
nothing, and looks at files only while a page is open. It answers to this machine; at another address of --listen it
wants the token that the printed address has. It ends with a signal.`,

	"scale": `Finds the network of a cell that meets a budget of multiply-adds or weights. For each number of layers
and each resolution that is asked for it takes as many channels as fit, as published networks for mobile devices do
(below 600 million multiply-adds at 224x224, 14 layers). With --compound it scales layers, channels and resolution of
one base together, as EfficientNet does. It marks the network with the most multiply-adds, and writes the config of its
training, with the settings of the paper of DARTS.`,

	"prune": `Cuts the filters of a trained network that matter least, until a share of its multiply-adds is left, and trains
the smaller network for the last epochs of the recipe. Channels that a cell adds up go together. It prints error and size
before and after. Progress, checkpoints and files are those of a training, which "darts train --resume" goes on with;
the run folder serves wherever that of a training does.`,

	"compress": `Makes trained networks of one recipe smaller: pruned to shares of their multiply-adds and trained on, computed in
integers of 8 bits, both, and with --scaled networks of fewer channels. A DIR stands for the runs in it, the folder of
darts repeat for its trainings; they differ in their seed. Each part is the run of a training. When all are there it
exports each network as ONNX, times those in floating point in turn, and writes a table with the mean and sample
deviation over the seeds, a page and charts. scripts/onnx-latency --all adds times in ONNX Runtime.

The same line goes on after a kill, as --resume does; any number of processes on machines that share the folder can work
on it at once, and no finished part is repeated.`,

	"draw": `Draws the cells of a genotype, a file with one, a run or an export. A picture shows the inputs of the
cell on the left, its nodes in the middle with the operation of each edge, and the output on the right.`,

	"bench": `Measures the time of steps: of searches of both orders, of trainings, of inference and of the input
pipeline. With --against it starts other programs, which take turns with this one on the same machine, and compares
medians. Rows with the same work get a ratio.`,

	"data": `The action get downloads a data set to the folder of data sets and checks its sum. For data sets without
a download it says which files are wanted, and checks those that are there. The action export writes images of a data
set as PNG files to a new folder in the layout of "data: {name: imagefolder}".`,

	"configs": `Lists the published configs that the program contains, each with the first line of its comment, or prints the
config of that name. Commands that take a config take its name too, in any folder; a file of that name comes first.
NAME.toy is the same at a size that takes seconds.`,

	"genotypes": `Prints the published cells, convolutional and recurrent, by the names that --genotype and other
commands take.`,

	"version": `Prints the versions of the program, Go and libtorch, the processor whose instructions are in use, the
decoder of JPEG files, and the devices.`,

	"completion": `Prints a script for a shell that completes commands, flags, config files, keys of --set and their
values, genotypes and run folders.`,

	"help": `Prints how a command is used: its flags, the most used keys of its config, and an example, on one screen.`,
}

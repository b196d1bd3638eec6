package main

import "slices"

// mutants are all mistakes.
var mutants = slices.Concat(
	ofDARTS, ofArchitect, ofSupernet, ofDerivation,
	ofPCDARTS, ofPDARTS, ofGDAS, ofEarlyStop, ofPerturbation,
	ofSharedWeights, ofScores,
	ofTraining, ofTexts,
	ofOptimizers, ofData, ofResuming,
)

// Tests by their folder: of the strategies and trainers, of what these are made of, and
// of what everything rests on.
func inNAS(run string) tests      { return tests{"nas", run} }
func inDARTS(run string) tests    { return tests{"darts", run} }
func inFast(run string) tests     { return tests{"darts/fast", run} }
func inENAS(run string) tests     { return tests{"darts/enas", run} }
func inCells(run string) tests    { return tests{"cells", run} }
func inBlackbox(run string) tests { return tests{"nas/blackbox", run} }
func inData(run string) tests     { return tests{"nas/data", run} }
func inOptim(run string) tests    { return tests{"torch/optim", run} }

package config

// Values of W.Schedule.
const (
	Cosine    = "cosine"
	StepDecay = "step"
	Restarts  = "restarts"
)

// Values of W.Precision.
const (
	Full = "full"
	BF16 = "bf16"
)

// Values of HVP.Method.
const (
	FiniteDifference = "finite-difference"
	Exact            = "exact"
)

// W is the optimiser of the weights. Of images: SGD with momentum, the learning rate
// following a cosine from LR to LRMin, or several, or times LRDecay after each epoch. Of texts: SGD, in
// training followed by averaged SGD, the learning rate times the part of data.bptt that a
// step has.
type W struct {
	LR            float64 `key:"lr" range:"(0,)" doc:"learning rate of the weights in the first epoch"`
	LRMin         float64 `key:"lr_min" of:"images" range:"[0,)" doc:"learning rate the cosine falls to, at most lr"`
	Schedule      string  `key:"schedule" of:"images" oneof:"cosine step restarts" doc:"of the learning rate: cosine, from lr to lr_min over all epochs, restarts, one such cosine after the other, or step, times lr_decay after each epoch"`
	LRDecay       float64 `key:"lr_decay" of:"images" range:"(0,1]" doc:"factor of the schedule step"`
	Restart       int     `key:"restart" of:"images" range:"[1,)" doc:"epochs of the first cosine of the schedule restarts"`
	RestartFactor int     `key:"restart_factor" of:"images" range:"[1,)" doc:"how many times as long as the one before each further cosine is"`
	Momentum      float64 `key:"momentum" of:"images" range:"[0,1)" doc:"SGD momentum"`
	Nesterov      bool    `key:"nesterov" of:"images" doc:"Nesterov's momentum: steps along the gradient and w.momentum times the average"`
	WeightDecay   float64 `key:"weight_decay" range:"[0,)" doc:"L2 term of the weights, times the weight added to its gradient"`
	GradClip      float64 `key:"grad_clip" range:"(0,)" doc:"largest L2 norm of all weight gradients together"`
	Precision     string  `key:"precision" of:"images" oneof:"full bf16" doc:"of the passes that train the weights: full, that of network.dtype, or bf16 in convolutions and matrix products (autocast)"`
}

// Alpha is the optimiser of the architecture parameters: Adam at a constant learning rate.
type Alpha struct {
	LR          float64    `key:"lr" range:"(0,)" doc:"learning rate of alpha"`
	Betas       [2]float64 `key:"betas" range:"[0,1)" doc:"Adam's two decay rates"`
	WeightDecay float64    `key:"weight_decay" range:"[0,)" doc:"L2 term of alpha, added to its gradient"`
	HVP         HVP        `key:"hvp" by:"named"`
	Corrected   bool       `key:"corrected" by:"named" of:"texts" doc:"second order: the gradient of what training's step does to validation, instead of the authors' (clipping, tied weights and dropout masks differ)"`
}

// HVP says how the Hessian-vector product of the second order is taken. In first order, which
// takes none, only the default values are accepted.
type HVP struct {
	Method string  `key:"method" oneof:"finite-difference exact" doc:"second order's Hessian-vector product: finite-difference, or exact (by a graph of the plain form)"`
	Radius float64 `key:"radius" range:"(0,)" doc:"distance in weights of the finite difference's points from w, an L2 norm"`
}

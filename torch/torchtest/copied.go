package torchtest

import "godarts/torch"

// Copied are copies of all tensors of sd, in the present scope.
func Copied(sd torch.StateDict) torch.StateDict {
	copied := torch.StateDict{}
	for name, x := range sd {
		copied[name] = x.Detach().Clone()
	}
	return copied
}

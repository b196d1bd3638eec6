// Package torch binds libtorch: tensors, their operators and gradients.
//
// Every tensor belongs to a scope, which frees it when it closes:
//
//	err := torch.Do(func() error {
//		x := torch.Randn([]int{2, 3}, torch.Options{})
//		fmt.Println(x.Mul(x).Sum().Item())
//		return nil
//	}) // x and the products are gone
//
// A scope belongs to one goroutine, which Do locks to its thread, as do the
// modes of libtorch (NoGrad, Autocast). Operators panic with *Error on shapes
// that do not fit, freed tensors and exhausted memory; Do returns that panic as
// an error. Names, argument order and semantics are PyTorch's; a name that ends
// in an underscore works in place.
package torch

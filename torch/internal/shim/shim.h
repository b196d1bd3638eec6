// The C functions that package torch calls.
//
// Convention: char *torch_op(inputs..., outputs *ret).
//   result       NULL, or a message that the caller frees; its first byte is a
//                TORCH_KIND, the text follows
//   torch_tensor argument: borrowed for the call; the zero handle where the
//                comment says "or none"
//   const T *    borrowed for the call, n elements
//   *ret         new: a box in the innermost scope of the calling thread
// A name that ends in _ works in place, as in PyTorch. None of these functions
// calls back into Go.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TORCH_KIND_OTHER 'E'
#define TORCH_KIND_MEMORY 'M'  // out of memory
#define TORCH_KIND_FREED 'F'   // a zero or freed tensor
#define TORCH_KIND_SCOPE 'S'   // no scope, or another thread's

// A tensor handle: valid while the box still has this generation. The box is an address as a
// number, 0 for the zero handle: cgo would check a pointer at every call.
typedef struct {
  uintptr_t box;
  uint64_t generation;
} torch_tensor;

typedef struct {
  int dtype, device_type, device_index;
} torch_options;

typedef struct {
  int64_t dim, numel, offset, bytes;
  int64_t writes;  // -1 if nobody counts them
  int dtype, device_type, device_index;
  int requires_grad, is_leaf, contiguous, channels_last;
} torch_tensor_info;

typedef struct {
  int enabled, dtype;
} torch_autocast_state;

enum {
  TORCH_VALUE_NONE,
  TORCH_VALUE_TENSOR,
  TORCH_VALUE_INT,
  TORCH_VALUE_DOUBLE,
  TORCH_VALUE_BOOL,
  TORCH_VALUE_STRING,
  TORCH_VALUE_TENSORS,
  TORCH_VALUE_INTS,
  TORCH_VALUE_DOUBLES
};

// An argument of torch_call: the field that kind names, all borrowed.
typedef struct {
  int kind;
  torch_tensor tensor;
  int64_t integer;
  double number;
  const char* text;
  const torch_tensor* tensors;
  const int64_t* ints;
  const double* doubles;
  int64_t length;
} torch_value;

// --- scopes (scope.cpp) ---
// open and close pair up on one thread; close frees every tensor of the scope.
// keep moves t to the enclosing scope, keep_with to owner's unless t outlives
// that; free drops it at once. live counts the tensors of all threads.
char* torch_scope_open(void);
char* torch_scope_close(void);
char* torch_scope_keep(torch_tensor t);
char* torch_scope_keep_with(torch_tensor t, torch_tensor owner);
char* torch_free(torch_tensor t);
int torch_scope_depth(void);
int64_t torch_live(void);

// --- tensors (tensor.cpp) ---
// sizes and strides take room for dim elements, strides may be NULL. read copies to a
// caller's buffer of the given size. from_data copies data of the given dtype, which
// the caller owns.
char* torch_info(torch_tensor t, torch_tensor_info* ret);
char* torch_sizes(torch_tensor t, int64_t* sizes, int64_t* strides);
char* torch_item(torch_tensor t, double* ret);
char* torch_item_int(torch_tensor t, int64_t* ret);
char* torch_read(torch_tensor t, int dtype, void* out, int64_t bytes);
char* torch_empty(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret);
char* torch_zeros(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret);
char* torch_full(const int64_t* shape, int64_t n, double value, torch_options o, torch_tensor* ret);
char* torch_arange(double start, double end, double step, torch_options o, torch_tensor* ret);
char* torch_eye(int64_t n, torch_options o, torch_tensor* ret);
char* torch_from_data(const void* data, int dtype, const int64_t* shape, int64_t n,
                      int channels_last, torch_options to, torch_tensor* ret);
char* torch_empty_like(torch_tensor t, torch_tensor* ret);
char* torch_contiguous(torch_tensor t, int channels_last, torch_tensor* ret);
char* torch_to(torch_tensor t, torch_options o, torch_tensor* ret);
char* torch_transpose(torch_tensor t, int64_t a, int64_t b, torch_tensor* ret);
char* torch_select(torch_tensor t, int64_t dim, int64_t index, torch_tensor* ret);
char* torch_narrow(torch_tensor t, int64_t dim, int64_t start, int64_t length, torch_tensor* ret);
char* torch_slice(torch_tensor t, int64_t dim, int64_t start, int64_t end, int64_t step,
                  torch_tensor* ret);
char* torch_as_strided(torch_tensor t, const int64_t* shape, const int64_t* strides, int64_t n,
                       int64_t offset, torch_tensor* ret);
char* torch_cat(const torch_tensor* ts, int64_t n, int64_t dim, torch_tensor* ret);
char* torch_stack(const torch_tensor* ts, int64_t n, int64_t dim, torch_tensor* ret);
char* torch_split(torch_tensor t, const int64_t* sizes, int64_t n, int64_t dim, torch_tensor* ret);
char* torch_index_select(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor* ret);
char* torch_gather(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor* ret);
char* torch_scatter_(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor src);
char* torch_index_add_(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor src);
char* torch_where(torch_tensor condition, torch_tensor a, torch_tensor b, torch_tensor* ret);

// --- operators in classes (operators.h, operators.cpp) ---
// A class takes one of these constants, TORCH_unary_abs and so on. An operator in place does not
// write to ret, which may be NULL. reduce goes over all dimensions if n == 0. operator gives the
// name, a static string.
enum {
#define OPERATOR(kind, name) TORCH_##kind##_##name,
#include "operators.h"
#undef OPERATOR
};
const char* torch_operator(int op);
char* torch_unary(int op, torch_tensor t, torch_tensor* ret);
char* torch_binary(int op, torch_tensor a, torch_tensor b, torch_tensor* ret);
char* torch_scaled(int op, torch_tensor a, torch_tensor b, double v, torch_tensor* ret);
char* torch_scalar(int op, torch_tensor t, double v, torch_tensor* ret);  // and compare
char* torch_along(int op, torch_tensor t, int64_t dim, torch_tensor* ret);
char* torch_reduce(int op, torch_tensor t, const int64_t* dims, int64_t n, int keepdim,
                   torch_tensor* ret);
char* torch_layout(int op, torch_tensor t, const int64_t* sizes, int64_t n, torch_tensor* ret);

// --- arithmetic (ops_math.cpp) ---
// An infinite bound of clamp means none.
char* torch_clamp(torch_tensor t, double min, double max, torch_tensor* ret);
char* torch_addcmul_(torch_tensor t, torch_tensor a, torch_tensor b, double value);
char* torch_addcdiv_(torch_tensor t, torch_tensor a, torch_tensor b, double value);
char* torch_argmax(torch_tensor t, int64_t dim, int keepdim, torch_tensor* ret);
char* torch_norm(torch_tensor t, torch_tensor* ret);
char* torch_addmm_(torch_tensor t, torch_tensor a, torch_tensor b, double beta, double alpha);
char* torch_diagonal(torch_tensor t, int64_t offset, int64_t dim1, int64_t dim2, torch_tensor* ret);
char* torch_foreach_copy_(const torch_tensor* ts, const torch_tensor* srcs, int64_t n);

// --- neural networks (ops_nn.cpp) ---
// Or none: bias; batch norm's weight, bias and running statistics. reduction:
// 0 none, 1 mean, 2 sum.
char* torch_conv2d(torch_tensor x, torch_tensor weight, torch_tensor bias, const int64_t* stride,
                   const int64_t* padding, const int64_t* dilation, int64_t groups,
                   torch_tensor* ret);
// depthwise.cpp
// gram, dx, d_weights, sums are written to, unless they are the zero handle; dx is added to with add.
// Backward is of n convolutions of x. The gradient of one's result is the next of gs if its number of
// products is 0, else the sum of as many products of the next of gs and matrices.
char* torch_depthwise(torch_tensor x, torch_tensor through, torch_tensor weight, torch_tensor bias,
                      int relu, int64_t stride, int64_t dilation, torch_tensor gram,
                      torch_tensor* ret);
char* torch_depthwise_backward(const torch_tensor* gs, const torch_tensor* matrices,
                               const int64_t* products, const torch_tensor* weights,
                               const int64_t* dilations, const torch_tensor* d_weights, int64_t n,
                               torch_tensor x, torch_tensor through, int relu, int64_t stride,
                               torch_tensor dx, int add, torch_tensor beside, torch_tensor gram,
                               torch_tensor sums);
char* torch_relu_sum(torch_tensor x, torch_tensor* ret);
// folded.cpp: a depthwise convolution and the 1x1 convolution after it, without a graph. Or none:
// depthwise, add, out. Without out the result is new, else it is written there and *ret stays.
char* torch_folded(torch_tensor x, torch_tensor depthwise, torch_tensor matrix, int64_t outs,
                   int64_t stride, int64_t dilation, int relu, torch_tensor add, torch_tensor out,
                   torch_tensor* ret);
// separable.cpp: n stages. Each has six weights (taps or none, weight, scale, shift, running mean and
// variance or none) and three options (relu, stride, dilation). factors, of images, may be none.
char* torch_separable(torch_tensor x, const torch_tensor* weights, const int64_t* options,
                      int64_t n, torch_tensor factors, double momentum, double eps,
                      torch_tensor* ret);
char* torch_linear(torch_tensor x, torch_tensor weight, torch_tensor bias, torch_tensor* ret);
char* torch_max_pool2d(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                       torch_tensor* ret);
char* torch_avg_pool2d(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                       int count_include_pad, torch_tensor* ret);
char* torch_adaptive_avg_pool2d(torch_tensor x, int64_t h, int64_t w, torch_tensor* ret);
char* torch_batch_norm(torch_tensor x, torch_tensor weight, torch_tensor bias,
                       torch_tensor running_mean, torch_tensor running_var, int training,
                       double momentum, double eps, torch_tensor* ret);
char* torch_dropout(torch_tensor t, double p, int training, torch_tensor* ret);
char* torch_embedding(torch_tensor weight, torch_tensor indices, torch_tensor* ret);
char* torch_cross_entropy(torch_tensor x, torch_tensor target, int reduction,
                          double label_smoothing, torch_tensor* ret);

// --- backward passes without a graph (ops_backward.cpp) ---
// A name that ends in out writes to its first argument, which has the result's
// shape; relu_backward_ sets g to 0 where y <= 0. What is not needed is returned as
// the zero handle.
char* torch_mm_out(torch_tensor out, torch_tensor a, torch_tensor b);
char* torch_relu_out(torch_tensor out, torch_tensor x);
char* torch_relu_backward_(torch_tensor g, torch_tensor y);
char* torch_conv2d_backward(torch_tensor g, torch_tensor x, torch_tensor weight,
                            const int64_t* stride, const int64_t* padding,
                            const int64_t* dilation, int64_t groups, int need_x, int need_weight,
                            torch_tensor* ret_x, torch_tensor* ret_weight);
// pool.cpp; indices are int64 into the plane of an image, or a byte for the place in the window
char* torch_max_pool2d_indices(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                               torch_tensor* ret, torch_tensor* ret_indices);
char* torch_max_pool2d_backward(torch_tensor g, torch_tensor x, int64_t kernel, int64_t stride,
                                int64_t padding, torch_tensor indices, torch_tensor* ret);

// --- products of many rows by few columns (products.cpp) ---
// Both write to out, or add to it: Σ xs[i]·ws[i] over n, and aᵀ·bs[i], a matrix each.
char* torch_sum_products(torch_tensor out, int add, const torch_tensor* xs, const torch_tensor* ws,
                         int64_t n);
char* torch_gram(torch_tensor out, int add, torch_tensor a, const torch_tensor* bs, int64_t n);

// --- sums of scaled tensors (sums.cpp) ---
// Writes Σ ys[i]∘shares[i] over n to out, or adds it.
char* torch_scaled_sum(torch_tensor out, int add, const torch_tensor* ys,
                       const torch_tensor* shares, int64_t n);

// --- recurrent networks (recurrent.cpp) ---
// products lose their gates to σ(gate) forward, and become their gradient backward, which
// adds to d_states and to d_mix.
char* torch_gated_mixture(torch_tensor out, torch_tensor states, torch_tensor products,
                          torch_tensor mix);
char* torch_gated_mixture_backward(torch_tensor d, torch_tensor states, torch_tensor products,
                                   torch_tensor mix, torch_tensor d_states, torch_tensor d_mix);

// Adds bias [n], if not NULL, to logits [rows,n], adds the sum over rows of the cross-entropy with
// labels [rows] to loss [1] of float64, and leaves its gradient, softmax − onehot, in logits.
char* torch_softmax_cross_entropy(torch_tensor logits, torch_tensor bias, torch_tensor labels,
                                  torch_tensor loss);

// --- gradients, modes, random numbers, call (autograd.cpp) ---
// Or none: gradient, and grad in set_grad. grad fills n_inputs handles, zero
// where allow_unused and not reached. call fills at most capacity handles. inference_end
// ends what inference_begin began, last begun first ended, on the same thread.
typedef struct torch_inference torch_inference;
char* torch_requires_grad_(torch_tensor t, int on);
char* torch_grad_of(torch_tensor t, torch_tensor* ret);
char* torch_set_grad(torch_tensor t, torch_tensor grad);
char* torch_backward(torch_tensor t, torch_tensor gradient, int retain_graph, int create_graph);
char* torch_grad(const torch_tensor* outputs, int64_t n_outputs, const torch_tensor* grads,
                 int64_t n_grads, const torch_tensor* inputs, int64_t n_inputs, int retain_graph,
                 int create_graph, int allow_unused, torch_tensor* ret);
int torch_grad_mode(void);
void torch_set_grad_mode(int on);
char* torch_inference_begin(torch_inference** ret);
void torch_inference_end(torch_inference* mode);
char* torch_autocast_begin(int device_type, int dtype, torch_autocast_state* previous);
char* torch_autocast_end(int device_type, torch_autocast_state previous);
char* torch_manual_seed(uint64_t seed);
char* torch_rng_state(int device_type, int device_index, torch_tensor* ret);
char* torch_set_rng_state(int device_type, int device_index, torch_tensor state);
char* torch_rand(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret);
char* torch_randn(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret);
char* torch_randint(int64_t low, int64_t high, const int64_t* shape, int64_t n, torch_options o,
                    torch_tensor* ret);
char* torch_uniform_(torch_tensor t, double from, double to);
char* torch_normal_(torch_tensor t, double mean, double std);
char* torch_bernoulli_(torch_tensor t, double p);
char* torch_call(const char* name, const char* overload, const torch_value* args, int64_t n,
                 torch_tensor* ret, int64_t capacity, int64_t* ret_n);

// --- several threads together (parallel.cpp) ---
// all_reduce gives the sum of what all ranks bring, the same to the last bit on each; the
// ranks wait for each other there, until group_fail. close comes after all of them have
// ended. From rank_begin on operators called on this thread run on it alone, and take the
// tensors of the thread that has opened the group too, until rank_end.
typedef struct torch_group torch_group;
char* torch_group_open(int64_t ranks, torch_group** ret);
void torch_group_close(torch_group* g);
void torch_group_fail(torch_group* g);
void torch_rank_begin(torch_group* g);
void torch_rank_end(void);
char* torch_all_reduce(torch_group* g, int64_t rank, torch_tensor t, torch_tensor* ret);

// --- devices, threads, malloc, versions (device.cpp) ---
// load_cuda must come before every other function. compiled_version is static.
// tf32 tells whether any kind of operator may use it.
void torch_load_cuda(void);
char* torch_cuda_count(int* ret);
void torch_set_threads(int n);
int torch_threads(void);
char* torch_set_tf32(int on);
char* torch_tf32(int* ret);

// peak_reserved is the most memory of a GPU that libtorch has held so far, in bytes.
char* torch_peak_reserved(int device_index, int64_t* ret);
int torch_tune_malloc(void);
const char* torch_compiled_version(void);
char* torch_loaded_version(char* ret, int64_t capacity);

// --- counts of operators (count.cpp) ---
// end fills at most capacity counts, of the calls since begin on all threads. In between operators
// take the forms of GPUs if as_gpu.
typedef struct {
  char name[64];
  int64_t calls, bytes;
  double seconds;
} torch_operator_count;
char* torch_count_begin(int as_gpu);
char* torch_count_end(torch_operator_count* ret, int64_t capacity, int64_t* ret_n);
int torch_counts_as_gpu(void);

// --- the kind of processor that loops are chosen for (processor.cpp) ---
// processor gives a static string, of our own loops; libtorch_processor writes libtorch's name.
char* torch_processor(const char** ret);
char* torch_libtorch_processor(char* ret, int64_t capacity);

#ifdef __cplusplus
}
#endif

// The C functions behind torch.Graph, by the conventions of shim.h.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A CUDA graph. It is made by open and ended by discard or free, one of them.
typedef struct torch_graph torch_graph;

// open makes a graph whose memory is that of share, or its own if share is NULL,
// and puts a stream in the place of the thread's current one, on which the caller
// runs what it will capture. begin starts the capture, end ends it and puts the
// stream back. discard undoes all that, from any point of it; its errors are not
// told, as it runs after one.
char* torch_graph_open(int device_index, const torch_graph* share, torch_graph** ret);
char* torch_graph_begin(torch_graph* g);
char* torch_graph_end(torch_graph* g);
void torch_graph_discard(torch_graph* g);

// replay queues the captured work on the thread's current stream. free waits for
// the GPU first.
char* torch_graph_replay(torch_graph* g);
char* torch_graph_free(torch_graph* g);

// A mark is a place in the work that is queued on the thread's current stream of a
// GPU. record makes one behind all that has been queued; wait waits until the GPU has
// come there, and frees it.
typedef struct torch_mark torch_mark;
char* torch_mark_record(int device_index, torch_mark** ret);
char* torch_mark_wait(torch_mark* m);

#ifdef __cplusplus
}
#endif

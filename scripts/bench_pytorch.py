#!/usr/bin/env python3
"""DARTS in plain PyTorch, the rival of `darts bench`.

Search network, architect of both orders and evaluation network, module by module
as the paper's authors have them, under their names in the state dictionary; the
recurrent ones are in bench_pytorch_rnn.py. The fastest idioms that they use
themselves, nothing beyond: images NCHW, gradients by autograd, optimizers with their
defaults.

  --verify DIR    replay the recordings of the authors' code in DIR, in float64
  --serve ROW     serve timed steps over stdin and stdout (`darts bench --against`)
  --channels-last images and weights channels last: the one line that PyTorch's
                  documentation recommends for speed
  --compile       the evaluation network through torch.compile
"""
import argparse
import collections
import copy
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import bench_pytorch_rnn as rnn

# --- operations ---------------------------------------------------------------


class ReLUConvBN(nn.Module):
    def __init__(self, c_in, c_out, affine):
        super().__init__()
        self.op = nn.Sequential(
            nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out, affine=affine))

    def forward(self, x):
        return self.op(x)


class FactorizedReduce(nn.Module):
    def __init__(self, c_in, c_out, affine):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_1 = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_2 = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x):
        x = self.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


def separable(c, kernel, stride, dilation, affine):
    """ReLU, depthwise, pointwise, batch norm."""
    return [nn.ReLU(),
            nn.Conv2d(c, c, kernel, stride, dilation * (kernel - 1) // 2, dilation, groups=c, bias=False),
            nn.Conv2d(c, c, 1, bias=False),
            nn.BatchNorm2d(c, affine=affine)]


class SepConv(nn.Module):
    def __init__(self, c, kernel, stride, affine):
        super().__init__()
        self.op = nn.Sequential(*separable(c, kernel, stride, 1, affine), *separable(c, kernel, 1, 1, affine))

    def forward(self, x):
        return self.op(x)


class DilConv(nn.Module):
    def __init__(self, c, kernel, stride, affine):
        super().__init__()
        self.op = nn.Sequential(*separable(c, kernel, stride, 2, affine))

    def forward(self, x):
        return self.op(x)


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        if self.stride > 1:
            x = x[:, :, ::self.stride, ::self.stride]
        return x.mul(0.)


def conv_7x1_1x7(c, stride, affine):
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c, c, (1, 7), stride=(1, stride), padding=(0, 3), bias=False),
        nn.Conv2d(c, c, (7, 1), stride=(stride, 1), padding=(3, 0), bias=False),
        nn.BatchNorm2d(c, affine=affine))


OPS = {
    'none': lambda c, stride, affine: Zero(stride),
    'max_pool_3x3': lambda c, stride, affine: nn.MaxPool2d(3, stride=stride, padding=1),
    'avg_pool_3x3': lambda c, stride, affine: nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False),
    'skip_connect': lambda c, stride, affine: nn.Identity() if stride == 1 else FactorizedReduce(c, c, affine),
    'sep_conv_3x3': lambda c, stride, affine: SepConv(c, 3, stride, affine),
    'sep_conv_5x5': lambda c, stride, affine: SepConv(c, 5, stride, affine),
    'dil_conv_3x3': lambda c, stride, affine: DilConv(c, 3, stride, affine),
    'dil_conv_5x5': lambda c, stride, affine: DilConv(c, 5, stride, affine),
    'sep_conv_7x7': lambda c, stride, affine: SepConv(c, 7, stride, affine),
    'conv_7x1_1x7': conv_7x1_1x7,
}
PRIMITIVES = list(OPS)[:8]

# --- search network -----------------------------------------------------------


class MixedOp(nn.Module):
    def __init__(self, c, stride):
        super().__init__()
        self._ops = nn.ModuleList()
        for name in PRIMITIVES:
            op = OPS[name](c, stride, False)
            if 'pool' in name:
                op = nn.Sequential(op, nn.BatchNorm2d(c, affine=False))
            self._ops.append(op)

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self._ops))


class SearchCell(nn.Module):
    def __init__(self, nodes, c_before, c_last, c, reduction, reduction_before):
        super().__init__()
        self.reduction = reduction
        self.nodes = nodes
        self.preprocess0 = (FactorizedReduce if reduction_before else ReLUConvBN)(c_before, c, False)
        self.preprocess1 = ReLUConvBN(c_last, c, False)
        self._ops = nn.ModuleList(
            MixedOp(c, 2 if reduction and j < 2 else 1) for i in range(nodes) for j in range(2 + i))

    def forward(self, s0, s1, weights):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        edge = 0
        for _ in range(self.nodes):
            node = sum(self._ops[edge + j](h, weights[edge + j]) for j, h in enumerate(states))
            edge += len(states)
            states.append(node)
        return torch.cat(states[-self.nodes:], dim=1)


class SearchNetwork(nn.Module):
    def __init__(self, c=16, classes=10, layers=8, nodes=4, stem_multiplier=3):
        super().__init__()
        c_last = stem_multiplier * c
        self.stem = nn.Sequential(nn.Conv2d(3, c_last, 3, padding=1, bias=False), nn.BatchNorm2d(c_last))
        c_before, reduction_before = c_last, False
        self.cells = nn.ModuleList()
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            if reduction:
                c *= 2
            self.cells.append(SearchCell(nodes, c_before, c_last, c, reduction, reduction_before))
            reduction_before = reduction
            c_before, c_last = c_last, nodes * c
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c_last, classes)
        # Leaves, not parameters: the optimizer of the weights must not see them.
        edges = sum(2 + i for i in range(nodes))
        self.alphas_normal = (1e-3 * torch.randn(edges, len(PRIMITIVES))).requires_grad_()
        self.alphas_reduce = (1e-3 * torch.randn(edges, len(PRIMITIVES))).requires_grad_()

    def arch_parameters(self):
        return [self.alphas_normal, self.alphas_reduce]

    def set_alphas(self, normal, reduce):
        self.alphas_normal = normal.detach().clone().requires_grad_()
        self.alphas_reduce = reduce.detach().clone().requires_grad_()

    def forward(self, x):
        s0 = s1 = self.stem(x)
        for cell in self.cells:
            weights = F.softmax(self.alphas_reduce if cell.reduction else self.alphas_normal, dim=-1)
            s0, s1 = s1, cell(s0, s1, weights)
        out = self.global_pooling(s1)
        return self.classifier(out.view(out.size(0), -1))

    def loss(self, x, target):
        return F.cross_entropy(self(x), target)


class Architect:
    """Steps the alphas on the validation loss, at the weights or at the weights after one
    step of their optimizer without clipping."""

    def __init__(self, model, optimizer, lr, betas, weight_decay):
        self.model, self.weights = model, optimizer
        self.optimizer = torch.optim.Adam(model.arch_parameters(), lr=lr, betas=betas, weight_decay=weight_decay)

    def step(self, train, valid, eta, unrolled):
        self.optimizer.zero_grad()
        if unrolled:
            self.backward_unrolled(train, valid, eta)
        else:
            self.model.loss(*valid).backward()
        self.optimizer.step()

    def unrolled_model(self, train, eta):
        parameters = list(self.model.parameters())
        grads = torch.autograd.grad(self.model.loss(*train), parameters)
        group = self.weights.param_groups[0]
        with torch.no_grad():
            d = torch._foreach_add(grads, parameters, alpha=group['weight_decay'])
            buffers = [self.weights.state[p].get('momentum_buffer') for p in parameters]
            if buffers[0] is not None:
                torch._foreach_add_(d, buffers, alpha=group['momentum'])
            stepped = torch._foreach_add(parameters, d, alpha=-eta)
        model = copy.deepcopy(self.model)
        names = [name for name, _ in self.model.named_parameters()]
        model.load_state_dict(dict(zip(names, stepped)), strict=False)
        model.zero_grad()
        for alpha in model.arch_parameters():
            alpha.grad = None
        return model

    def backward_unrolled(self, train, valid, eta):
        unrolled = self.unrolled_model(train, eta)
        unrolled.loss(*valid).backward()
        vector = [p.grad for p in unrolled.parameters()]
        implicit = self.hessian_vector_product(vector, train)
        for alpha, other, h in zip(self.model.arch_parameters(), unrolled.arch_parameters(), implicit):
            alpha.grad = other.grad - eta * h

    def hessian_vector_product(self, vector, train, r=1e-2):
        radius = r / nn.utils.get_total_norm(vector)
        step = torch._foreach_mul(vector, radius)
        parameters = list(self.model.parameters())

        def gradient_after(factor):
            with torch.no_grad():
                torch._foreach_add_(parameters, step, alpha=factor)
            return torch.autograd.grad(self.model.loss(*train), self.model.arch_parameters())

        plus, minus = gradient_after(1), gradient_after(-2)
        with torch.no_grad():
            torch._foreach_add_(parameters, step)
        return [(p - m) / (2 * radius) for p, m in zip(plus, minus)]


def weight_step(loss, parameters, optimizer, clip):
    """Backward, clip, step; returns the norm of the gradient before clipping."""
    loss.backward()
    norm = nn.utils.clip_grad_norm_(parameters, clip)
    optimizer.step()
    return norm

# --- evaluation network -------------------------------------------------------


Genotype = collections.namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')

DARTS_V2 = Genotype(
    normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
            ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)],
    normal_concat=[2, 3, 4, 5],
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),
            ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)],
    reduce_concat=[2, 3, 4, 5])


def drop_path(x, p):
    """Drops whole images with probability p, in place."""
    if p > 0:
        keep = 1. - p
        mask = torch.empty(x.size(0), 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(keep)
        x.div_(keep)
        x.mul_(mask)
    return x


class Cell(nn.Module):
    def __init__(self, genotype, c_before, c_last, c, reduction, reduction_before):
        super().__init__()
        self.preprocess0 = (FactorizedReduce if reduction_before else ReLUConvBN)(c_before, c, True)
        self.preprocess1 = ReLUConvBN(c_last, c, True)
        edges = genotype.reduce if reduction else genotype.normal
        self.concat = genotype.reduce_concat if reduction else genotype.normal_concat
        self.indices = [index for _, index in edges]
        self._ops = nn.ModuleList(OPS[name](c, 2 if reduction and index < 2 else 1, True) for name, index in edges)

    def edge(self, i, states, p):
        out = self._ops[i](states[self.indices[i]])
        if self.training and not isinstance(self._ops[i], nn.Identity):
            out = drop_path(out, p)
        return out

    def forward(self, s0, s1, p):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for i in range(0, len(self._ops), 2):
            states.append(self.edge(i, states, p) + self.edge(i + 1, states, p))
        return torch.cat([states[i] for i in self.concat], dim=1)


class AuxiliaryHead(nn.Module):
    def __init__(self, c, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(inplace=True), nn.AvgPool2d(5, stride=3, padding=0, count_include_pad=False),
            nn.Conv2d(c, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(inplace=True),
            nn.Conv2d(128, 768, 2, bias=False), nn.BatchNorm2d(768), nn.ReLU(inplace=True))
        self.classifier = nn.Linear(768, classes)

    def forward(self, x):
        x = self.features(x)
        return self.classifier(x.view(x.size(0), -1))


class EvaluationNetwork(nn.Module):
    def __init__(self, genotype, c=36, classes=10, layers=20, auxiliary_weight=0.4, drop_path_prob=0.):
        super().__init__()
        self.auxiliary_weight = auxiliary_weight
        self.drop_path_prob = drop_path_prob
        c_last = 3 * c
        self.stem = nn.Sequential(nn.Conv2d(3, c_last, 3, padding=1, bias=False), nn.BatchNorm2d(c_last))
        c_before, reduction_before = c_last, False
        self.cells = nn.ModuleList()
        self.auxiliary_at = 2 * layers // 3
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            if reduction:
                c *= 2
            cell = Cell(genotype, c_before, c_last, c, reduction, reduction_before)
            self.cells.append(cell)
            reduction_before = reduction
            c_before, c_last = c_last, len(cell.concat) * c
            if i == self.auxiliary_at:
                c_auxiliary = c_last
        self.auxiliary_head = AuxiliaryHead(c_auxiliary, classes)
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c_last, classes)

    def forward(self, x):
        auxiliary = None
        s0 = s1 = self.stem(x)
        for i, cell in enumerate(self.cells):
            s0, s1 = s1, cell(s0, s1, self.drop_path_prob)
            if i == self.auxiliary_at and self.training:
                auxiliary = self.auxiliary_head(s1)
        out = self.global_pooling(s1)
        return self.classifier(out.view(out.size(0), -1)), auxiliary

    def loss(self, logits, auxiliary, target):
        return F.cross_entropy(logits, target) + self.auxiliary_weight * F.cross_entropy(auxiliary, target)

# --- proof against recordings -------------------------------------------------


class Recording:
    """A file of tensors from the authors' code, and the results of comparing with it."""

    def __init__(self, file):
        from safetensors import safe_open
        with safe_open(file, 'pt') as f:
            self.metadata = f.metadata()
            self.tensors = {name: f.get_tensor(name) for name in f.keys()}
        self.compared, self.wrong, self.worst = 0, [], 0.

    def __getitem__(self, name):
        t = self.tensors[name]
        return t.double() if t.is_floating_point() else t.long()

    def state(self, prefix):
        return {name[len(prefix):]: self[name] for name in self.tensors if name.startswith(prefix)}

    def number(self, key):
        return float(self.metadata[key])

    def size(self, key):
        return int(self.metadata[key])

    def compare(self, name, got):
        want = self[name]
        tolerance = 1e-6 if self.tensors[name].dtype == torch.float32 else 1e-9
        norm, difference = want.norm().item(), (got.detach() - want).norm().item()
        relative = difference / norm if norm > 0 else difference
        self.compared += 1
        if not relative <= tolerance:
            self.wrong.append(f'{name}: off by {relative:.3g}, at most {tolerance:.0e} allowed')
        self.worst = max(self.worst, relative / tolerance)

    def compare_all(self, prefix, got):
        for name in self.state(prefix):
            self.compare(prefix + name, got[name])


def load(model, state):
    """Loads a state without PyTorch's batch counters, which the recordings lack."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    if missing or unexpected:
        raise SystemExit(f'bench_pytorch: state dictionary: missing {missing[:3]}, unexpected {unexpected[:3]}')


def gradients(model):
    return {name: p.grad for name, p in model.named_parameters()}


def verify_search(r, channels_last):
    init = r.state('init.')
    alphas = init.pop('alphas_normal'), init.pop('alphas_reduce')
    model = SearchNetwork(r.size('C'), init['classifier.weight'].size(0), r.size('layers')).double()
    load(model, init)
    model.set_alphas(*alphas)
    model = layout(model, channels_last)
    optimizer = torch.optim.SGD(model.parameters(), r.number('lr'), momentum=r.number('momentum'),
                                weight_decay=r.number('weight_decay'))
    architect = Architect(model, optimizer, r.number('arch_lr'), json.loads(r.metadata['arch_betas']),
                          r.number('arch_weight_decay'))
    for s in range(r.size('steps')):
        step = f'step{s}.'
        train, valid = [(layout(r[f'{step}{half}_input'], channels_last), r[f'{step}{half}_target'])
                        for half in ('train', 'valid')]
        architect.step(train, valid, r.number('lr'), r.metadata['order'] == '2')
        for kind, alpha in zip(('normal', 'reduce'), model.arch_parameters()):
            r.compare(f'{step}alpha_grad_{kind}', alpha.grad)
            r.compare(f'{step}alphas_{kind}', alpha)
        optimizer.zero_grad()
        logits = model(train[0])
        loss = F.cross_entropy(logits, train[1])
        r.compare(step + 'loss', loss)
        if s == 0:
            # Its gradients are recorded unclipped.
            other = copy.deepcopy(model)
            other.loss(*train).backward()
            r.compare(step + 'logits', logits)
            r.compare_all(step + 'grad.', gradients(other))
        norm = weight_step(loss, model.parameters(), optimizer, r.number('grad_clip'))
        if step + 'grad_norm' in r.tensors:
            r.compare(step + 'grad_norm', norm)
    model.eval()
    r.compare('final.eval_logits', model(train[0]))
    got = model.state_dict() | {'eval_logits': model(train[0])}
    got |= {'alphas_normal': model.alphas_normal, 'alphas_reduce': model.alphas_reduce}
    r.compare_all('final.', got)


def verify_evaluation(r, channels_last):
    genotype = eval(r.metadata['genotype'], {'Genotype': Genotype, 'range': range})
    model = EvaluationNetwork(genotype, r.size('C'), r.size('classes'), r.size('layers'),
                              r.number('auxiliary_weight')).double()
    load(model, r.state('init.'))
    model = layout(model, channels_last)
    x, target = layout(r['input'], channels_last), r['target']
    logits, auxiliary = model(x)
    loss = model.loss(logits, auxiliary, target)
    loss.backward()
    r.compare('train_logits', logits)
    r.compare('train_logits_aux', auxiliary)
    r.compare('loss', loss)
    r.compare_all('grad.', gradients(model))
    r.compare_all('after.', model.state_dict())
    r.compare('eval_logits', model.eval()(x)[0])


def verify_initialisation(file):
    """Yields the weights that a seed initialises differently from the authors' code."""
    for row in json.load(open(file)):
        torch.manual_seed(row['seed'])
        if row['network'] == 'cnn-search':
            model = SearchNetwork(row['C'], row['classes'], row['layers'])
            got = dict(model.named_parameters(), alphas_normal=model.alphas_normal, alphas_reduce=model.alphas_reduce)
        elif row['network'] == 'cnn-eval-cifar' and row['genotype_name'] == 'DARTS_V2':
            got = dict(EvaluationNetwork(DARTS_V2, row['C'], row['classes'], row['layers']).named_parameters())
        else:
            continue
        for name, want in row['tensors'].items():
            t = got[name].detach().double().flatten()
            total = t.sum().item()
            if (list(got[name].shape) != want['shape'] or t[0].item() != want['first'] or t[-1].item() != want['last']
                    or abs(total - want['sum']) > 1e-9 * (1 + abs(want['sum']))):
                yield f"{row['network']}, seed {row['seed']}: {name} differs"


def verify(folder, channels_last):
    """Returns whether all recordings of the folder are reproduced."""
    ok = True
    for name, replay in (('cnn_search_first_order', verify_search), ('cnn_search_second_order', verify_search),
                         ('cnn_eval_darts_v2', verify_evaluation), ('cnn_eval_nasnet', verify_evaluation),
                         ('cnn_eval_amoebanet', verify_evaluation),
                         ('rnn_search_first_order', rnn.verify_search), ('rnn_search_second_order', rnn.verify_search),
                         ('rnn_eval_darts_v2', rnn.verify_evaluation), ('rnn_eval_enas', rnn.verify_evaluation)):
        r = Recording(f'{folder}/{name}.safetensors')
        replay(r, channels_last)
        print(f'{name}: {r.compared} tensors compared in float64, {len(r.wrong)} differ; '
              f'the worst takes {r.worst:.1%} of its tolerance')
        for line in r.wrong[:10]:
            print('  ' + line)
        ok = ok and not r.wrong
    for name, differing in (('init_cnn', verify_initialisation), ('init_rnn', rnn.verify_initialisation)):
        wrong = list(differing(f'{folder}/{name}.json'))
        print(f'{name}: the first weights for a seed {"differ" if wrong else "are equal"}')
        for line in wrong[:10]:
            print('  ' + line)
        ok = ok and not wrong
    return ok

# --- timed steps --------------------------------------------------------------


def layout(x, channels_last):
    return x.to(memory_format=torch.channels_last) if channels_last else x


def batch(n, o):
    """Images and labels of one batch, from the default generator of the CPU."""
    x, y = torch.randn(n, 3, 32, 32), torch.randint(0, 10, (n,))
    return layout(x.to(o.device), o.channels_last), y.to(o.device)


def search_step(o):
    """One step of the search in the order of o.serve, or only a forward and backward pass."""
    model = layout(SearchNetwork(o.channels, 10, o.layers).to(o.device), o.channels_last)
    model.set_alphas(model.alphas_normal.to(o.device), model.alphas_reduce.to(o.device))
    optimizer = torch.optim.SGD(model.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
    architect = Architect(model, optimizer, 3e-4, (0.5, 0.999), 1e-3)
    train, valid = batch(o.batch, o), batch(o.batch, o)

    def forward_backward():
        model.zero_grad()
        for alpha in model.arch_parameters():
            alpha.grad = None
        loss = model.loss(*train)
        loss.backward()
        return loss.detach()

    def step():
        architect.step(train, valid, 0.025, o.serve == 'second-order')
        optimizer.zero_grad()
        loss = model.loss(*train)
        weight_step(loss, model.parameters(), optimizer, 5)
        return loss.detach()

    return forward_backward if o.serve == 'forward-backward' else step


def train_step(o):
    model = layout(EvaluationNetwork(DARTS_V2, o.channels, 10, o.layers, drop_path_prob=0.2).to(o.device), o.channels_last)
    forward = torch.compile(model) if o.compile else model
    optimizer = torch.optim.SGD(model.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
    x, target = batch(o.batch, o)

    def step():
        optimizer.zero_grad()
        loss = model.loss(*forward(x), target)
        weight_step(loss, model.parameters(), optimizer, 5)
        return loss.detach()

    return step


def inference_step(o):
    model = layout(EvaluationNetwork(DARTS_V2, o.channels, 10, o.layers).to(o.device), o.channels_last).eval()
    forward = torch.compile(model) if o.compile else model
    x, target = batch(o.batch, o)

    def step():
        with torch.no_grad():
            return F.cross_entropy(forward(x)[0], target)

    return step


class Cutout:
    def __init__(self, length):
        self.length = length

    def __call__(self, image):
        import numpy
        h, w = image.shape[1:]
        mask = numpy.ones((h, w), numpy.float32)
        y, x, half = numpy.random.randint(h), numpy.random.randint(w), self.length // 2
        mask[max(y - half, 0):min(y + half, h), max(x - half, 0):min(x + half, w)] = 0.
        return image * torch.from_numpy(mask)


def input_step(o):
    """One epoch of images through torchvision's transforms and a DataLoader, as for CIFAR-10."""
    import numpy
    from PIL import Image
    from torchvision import transforms

    class Images(torch.utils.data.Dataset):
        def __init__(self):
            generator = numpy.random.default_rng(o.seed)
            self.pixels = generator.integers(0, 256, (o.images, 32, 32, 3), numpy.uint8)
            self.labels = generator.integers(0, 10, o.images).tolist()
            self.transform = transforms.Compose([
                transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
                transforms.Normalize((0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768)),
                Cutout(16)])

        def __len__(self):
            return len(self.pixels)

        def __getitem__(self, i):
            return self.transform(Image.fromarray(self.pixels[i])), self.labels[i]

    loader = torch.utils.data.DataLoader(
        Images(), o.batch, shuffle=True, pin_memory=o.device.type == 'cuda', num_workers=2)

    def step():
        for x, y in loader:
            layout(x.to(o.device), o.channels_last), y.to(o.device)

    return step


def decode_step(o):
    """Decodes the JPEG files of train/ by Pillow, one after the other, as validation images of ImageNet."""
    import glob
    import numpy
    from PIL import Image

    files = sorted(glob.glob(o.files + '/train/*/*.jpg'))
    if len(files) != o.images:
        raise SystemExit(f'bench_pytorch: {o.files} holds {len(files)} files, want {o.images}')
    mean = numpy.array((0.485, 0.456, 0.406), numpy.float32)
    std = numpy.array((0.229, 0.224, 0.225), numpy.float32)

    def load(file):
        image = Image.open(file).convert('RGB')
        w, h = image.size
        w, h = (256, 256 * h // w) if w <= h else (256 * w // h, 256)
        left, top = round((w - 224) / 2), round((h - 224) / 2)
        image = image.resize((w, h), Image.BILINEAR).crop((left, top, left + 224, top + 224))
        return (numpy.asarray(image, numpy.float32) / 255 - mean) / std

    def step():
        for start in range(0, len(files), o.batch):
            numpy.stack([load(file) for file in files[start:start + o.batch]])

    return step


ROWS = {'forward-backward': search_step, 'first-order': search_step, 'second-order': search_step,
        'train': train_step, 'inference': inference_step,
        'rnn-first-order': rnn.search_step, 'rnn-second-order': rnn.search_step, 'rnn-train': rnn.train_step,
        'input': input_step, 'decode': decode_step}


def peak_bytes(device):
    """Peak memory of this process: resident, or of a GPU."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_reserved(device)
    for line in open('/proc/self/status'):
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) * 1024


def serve(o):
    """Answers each line "step" by one timed step and the end of input by the peak memory."""
    def say(**answer):
        print(json.dumps(answer), flush=True)

    if o.threads:
        torch.set_num_threads(o.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = o.tf32
    torch.manual_seed(o.seed)
    step = ROWS[o.serve](o)
    say(ready='PyTorch ' + torch.__version__, threads=torch.get_num_threads())
    for line in sys.stdin:
        if line.strip() != 'step':
            raise SystemExit(f'bench_pytorch: unknown request {line.strip()!r}')
        start = time.perf_counter()
        loss = step()
        if loss is not None:
            loss = loss.item()  # waits for the device
        say(seconds=time.perf_counter() - start, loss=loss)
    say(peak_bytes=peak_bytes(o.device))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--verify', metavar='DIR')
    p.add_argument('--serve', metavar='ROW', choices=ROWS, help=', '.join(ROWS))
    p.add_argument('--channels-last', action='store_true')
    p.add_argument('--compile', action='store_true', help='rows train and inference: through torch.compile')
    p.add_argument('--tf32', action='store_true', help="let a GPU round convolutions to TF32: PyTorch's default, not darts'")
    p.add_argument('--batch', type=int, default=64)
    p.add_argument('--channels', type=int, default=16)
    p.add_argument('--layers', type=int, default=8)
    p.add_argument('--units', type=int, default=300, help='of the rows of recurrent networks, as those below')
    p.add_argument('--tokens', type=int, default=10000, help='of the dictionary')
    p.add_argument('--bptt', type=int, default=35, help='time steps')
    p.add_argument('--images', type=int, default=25000, help='in an epoch of the rows input and decode')
    p.add_argument('--files', help='folder of the row decode')
    p.add_argument('--threads', type=int, default=0)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--device', type=torch.device, default='cpu')
    o = p.parse_args()
    if o.compile and o.serve not in ('train', 'inference'):
        p.error('--compile is for the rows train and inference')
    if o.serve:
        serve(o)
    elif o.verify:
        sys.exit(0 if verify(o.verify, o.channels_last) else 1)
    else:
        p.error('--verify or --serve is needed')


if __name__ == '__main__':
    main()

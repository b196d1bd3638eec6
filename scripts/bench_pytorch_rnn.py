"""The recurrent networks of DARTS in plain PyTorch, for scripts/bench_pytorch.py: search
network, architect of both orders and evaluation network, module by module as the paper's
authors have them, under their names in the state dictionary."""
import collections
import copy
import json

import torch
import torch.nn as nn
import torch.nn.functional as F

PRIMITIVES = ['none', 'tanh', 'relu', 'sigmoid', 'identity']
ACTIVATIONS = {'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid, 'identity': lambda x: x}
NODES = 8  # of a search cell

Genotype = collections.namedtuple('Genotype', 'recurrent concat')
DARTS_V2 = Genotype(
    recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)],
    concat=range(1, 9))

Dropout = collections.namedtuple('Dropout', 'output state input embedding word', defaults=[0.] * 5)
SEARCH_DROPOUT = Dropout(output=0.75, state=0.25, input=0.75, embedding=0.2)
TRAIN_DROPOUT = SEARCH_DROPOUT._replace(word=0.1)

# --- networks -----------------------------------------------------------------


def mask(like, rows, columns, p):
    """Inverted dropout, [rows, columns]."""
    return like.new_empty(rows, columns).bernoulli_(1 - p).div_(1 - p)


class Cell(nn.Module):
    def __init__(self, units, nodes, dropout):
        super().__init__()
        self.units, self.dropout = units, dropout
        self._W0 = nn.Parameter(torch.empty(2 * units, 2 * units).uniform_(-0.04, 0.04))
        self._Ws = nn.ParameterList(
            nn.Parameter(torch.empty(units, 2 * units).uniform_(-0.04, 0.04)) for _ in range(nodes))

    def forward(self, inputs, hidden):
        steps, batch, _ = inputs.shape
        x_mask = h_mask = None
        if self.training:
            if self.dropout.input:
                x_mask = mask(inputs, batch, self.units, self.dropout.input)
            if self.dropout.state:
                h_mask = mask(inputs, batch, self.units, self.dropout.state)
        h, outputs = hidden[0], []
        mix = self.mixture()
        for t in range(steps):
            h = self.step(inputs[t], h, x_mask, h_mask, mix)
            outputs.append(h)
        return torch.stack(outputs), h.unsqueeze(0)

    def mixture(self):
        return None

    def state0(self, x, h, x_mask, h_mask):
        xh = torch.cat([x if x_mask is None else x * x_mask, h if h_mask is None else h * h_mask], dim=-1)
        c, g = xh.mm(self._W0).split(self.units, dim=-1)
        return h + c.sigmoid() * (g.tanh() - h)


class DerivedCell(Cell):
    def __init__(self, units, dropout, genotype):
        super().__init__(units, len(genotype.recurrent), dropout)
        self.genotype = genotype

    def step(self, x, h, x_mask, h_mask, mix):
        states = [self.state0(x, h, x_mask, h_mask)]
        for w, (name, before) in zip(self._Ws, self.genotype.recurrent):
            s = states[before]
            c, g = (s if h_mask is None else s * h_mask).mm(w).split(self.units, dim=-1)
            states.append(s + c.sigmoid() * (ACTIVATIONS[name](g) - s))
        return torch.stack([states[i] for i in self.genotype.concat]).mean(dim=0)


class SearchCell(Cell):
    def __init__(self, units, dropout):
        super().__init__(units, NODES, dropout)
        self.bn = nn.BatchNorm1d(units, affine=False)
        self.alphas = None  # shared with the network around it

    def mixture(self):
        return F.softmax(self.alphas, dim=-1)

    def step(self, x, h, x_mask, h_mask, mix):
        states = self.bn(self.state0(x, h, x_mask, h_mask)).unsqueeze(0)
        edge = 0
        for i, w in enumerate(self._Ws):
            inputs = states if h_mask is None else states * h_mask
            c, g = inputs.view(-1, self.units).mm(w).view(i + 1, -1, 2 * self.units).split(self.units, dim=-1)
            c = c.sigmoid()
            node = 0
            for k, name in enumerate(PRIMITIVES):
                if name == 'none':
                    continue
                all_states = states + c * (ACTIVATIONS[name](g) - states)
                node = node + (mix[edge:edge + i + 1, k].view(-1, 1, 1) * all_states).sum(dim=0)
            edge += i + 1
            states = torch.cat([states, self.bn(node).unsqueeze(0)])
        return states[-NODES:].mean(dim=0)


class Language(nn.Module):
    """Embedding, locked dropouts, one recurrent layer, and the decoder tied to the embedding."""

    def __init__(self, tokens, units, dropout, cell, alpha=0., beta=1e-3):
        super().__init__()
        self.units, self.dropout, self.alpha, self.beta = units, dropout, alpha, beta
        self.encoder = nn.Embedding(tokens, units)
        self.rnns = nn.ModuleList([cell()])
        self.decoder = nn.Linear(units, tokens)
        self.decoder.weight = self.encoder.weight
        self.encoder.weight.data.uniform_(-0.04, 0.04)
        self.decoder.bias.data.fill_(0)
        self.decoder.weight.data.uniform_(-0.04, 0.04)

    def locked(self, x, p):
        return x * mask(x, x.size(1), self.units, p) if self.training and p else x

    def forward(self, x, hidden):
        weight, d = self.encoder.weight, self.dropout
        if self.training and d.word:
            weight = weight * mask(weight, weight.size(0), 1, d.word)
        raw, hidden = self.rnns[0](self.locked(F.embedding(x, weight), d.embedding), hidden)
        dropped = self.locked(raw, d.output)
        logits = self.decoder(dropped.view(-1, self.units))
        return F.log_softmax(logits, dim=-1), hidden, raw, dropped

    def nll(self, batch, hidden):
        log_prob, hidden, _, _ = self(batch[0], hidden)
        return F.nll_loss(log_prob, batch[1]), hidden

    def penalty(self, raw, dropped):
        penalty = self.beta * (raw[1:] - raw[:-1]).pow(2).mean()
        if self.alpha:
            penalty = penalty + self.alpha * dropped.pow(2).mean()
        return penalty

    def zeros(self, batch):
        return self.encoder.weight.new_zeros(1, batch, self.units)


class SearchNetwork(Language):
    def __init__(self, tokens, units, dropout, **options):
        super().__init__(tokens, units, dropout, lambda: SearchCell(units, dropout), **options)
        edges = NODES * (NODES + 1) // 2
        self.set_alphas(1e-3 * torch.randn(edges, len(PRIMITIVES)))

    def set_alphas(self, alphas):
        # A leaf, no parameter: the optimizer of the weights must not see it.
        self.weights = alphas.detach().clone().requires_grad_()
        self.rnns[0].alphas = self.weights


def evaluation_network(tokens, units, dropout, genotype, **options):
    return Language(tokens, units, dropout, lambda: DerivedCell(units, dropout, genotype), **options)

# --- search -------------------------------------------------------------------


class Architect:
    """Steps the alphas; both orders take the plain negative log likelihood."""

    def __init__(self, model, lr, weight_decay, weight_decay_w, clip):
        self.model, self.weight_decay_w, self.clip = model, weight_decay_w, clip
        self.optimizer = torch.optim.Adam([model.weights], lr=lr, betas=(0.9, 0.999), weight_decay=weight_decay)

    def step(self, hidden, train, hidden_valid, valid, eta, unrolled):
        """Returns the state after the validation batch."""
        self.optimizer.zero_grad()
        if unrolled:
            hidden_valid = self.backward_unrolled(hidden, train, hidden_valid, valid, eta)
        else:
            loss, hidden_valid = self.model.nll(valid, hidden_valid)
            loss.backward()
        self.optimizer.step()
        return hidden_valid.detach()

    def unrolled_model(self, hidden, train, eta):
        names, parameters = zip(*self.model.named_parameters())
        grads = list(torch.autograd.grad(self.model.nll(train, hidden)[0], parameters))
        scale = self.clip / (nn.utils.get_total_norm(grads) + 1e-6)
        with torch.no_grad():
            if scale < 1:
                torch._foreach_mul_(grads, scale)
            torch._foreach_add_(grads, parameters, alpha=self.weight_decay_w)
            stepped = dict(zip(names, torch._foreach_add(parameters, grads, alpha=-eta)))
        # The authors' state dictionary has the tied matrix twice and loads the old one last.
        del stepped['encoder.weight']
        model = copy.deepcopy(self.model)
        model.set_alphas(self.model.weights)
        model.load_state_dict(stepped, strict=False)
        model.zero_grad()
        return model, scale

    def backward_unrolled(self, hidden, train, hidden_valid, valid, eta):
        unrolled, scale = self.unrolled_model(hidden, train, eta)
        loss, hidden_valid = unrolled.nll(valid, hidden_valid)
        loss.backward()
        nn.utils.clip_grad_norm_(unrolled.parameters(), self.clip)
        vector = [p.grad for p in unrolled.parameters()]
        self.model.weights.grad = unrolled.weights.grad - eta * scale * self.hessian_vector_product(vector, hidden, train)
        return hidden_valid

    def hessian_vector_product(self, vector, hidden, train, r=1e-2):
        radius = r / nn.utils.get_total_norm(vector)
        step = torch._foreach_mul(vector, radius)
        parameters = list(self.model.parameters())

        def gradient_after(factor):
            with torch.no_grad():
                torch._foreach_add_(parameters, step, alpha=factor)
            return torch.autograd.grad(self.model.nll(train, hidden)[0], self.model.weights)[0]

        plus, minus = gradient_after(1), gradient_after(-2)
        with torch.no_grad():
            torch._foreach_add_(parameters, step)
        return (plus - minus) / (2 * radius)


def weight_step(model, batch, hidden, optimizer, clip):
    """One step of the weights; returns the new state, the loss and the norm before clipping."""
    optimizer.zero_grad()
    log_prob, hidden, raw, dropped = model(batch[0], hidden)
    loss = F.nll_loss(log_prob, batch[1])
    (loss + model.penalty(raw, dropped)).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return hidden.detach(), loss.detach(), norm

# --- proof against recordings -------------------------------------------------


def load(model, state):
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith('num_batches_tracked') and name != 'decoder.weight']
    if missing or unexpected:
        raise SystemExit(f'bench_pytorch: state dictionary: missing {missing[:3]}, unexpected {unexpected[:3]}')


def verify_search(r, _):
    init = r.state('init.')
    alphas = init.pop('weights')
    model = SearchNetwork(r.size('ntoken'), r.size('nhid'), Dropout(), beta=r.number('beta')).double()
    model.set_alphas(alphas)
    load(model, init)
    lr, clip = r.number('lr'), r.number('clip')
    optimizer = torch.optim.SGD(model.parameters(), lr, weight_decay=r.number('wdecay'))
    architect = Architect(model, r.number('arch_lr'), r.number('arch_wdecay'), r.number('wdecay'), clip)
    hidden = hidden_valid = model.zeros(r['step0.train_input'].size(1))
    for s in range(r.size('steps')):
        step = f'step{s}.'
        train, valid = [(r[f'{step}{half}_input'], r[f'{step}{half}_target'].view(-1)) for half in ('train', 'valid')]
        hidden_valid = architect.step(hidden, train, hidden_valid, valid, lr, r.metadata['order'] == '2')
        r.compare(step + 'alpha_grad', model.weights.grad)
        r.compare(step + 'alphas', model.weights)
        if s == 0:  # its gradients are recorded unclipped
            other = copy.deepcopy(model)
            other.set_alphas(model.weights)
            log_prob, _, raw, dropped = other(train[0], hidden)
            (F.nll_loss(log_prob, train[1]) + other.penalty(raw, dropped)).backward()
            r.compare(step + 'log_prob', log_prob.view(r[step + 'log_prob'].shape))
            r.compare_all(step + 'grad.', {name: p.grad for name, p in other.named_parameters()})
        hidden, loss, norm = weight_step(model, train, hidden, optimizer, clip)
        r.compare(step + 'raw_loss', loss)
        r.compare(step + 'grad_norm', norm)
    model.eval()
    log_prob = model(train[0], model.zeros(train[0].size(1)))[0]
    got = model.state_dict() | {'weights': model.weights, 'hidden': hidden, 'hidden_valid': hidden_valid,
                                'eval_log_prob': log_prob.view(r['final.eval_log_prob'].shape)}
    r.compare_all('final.', got)


def verify_evaluation(r, _):
    genotype = eval(r.metadata['genotype'], {'Genotype': Genotype, 'range': range})
    model = evaluation_network(r.size('ntoken'), r.size('nhid'), Dropout(), genotype, beta=r.number('beta')).double()
    load(model, r.state('init.'))
    x, target, hidden = r['input'], r['target'].view(-1), r['hidden']
    log_prob, after, raw, dropped = model(x, hidden)
    loss = F.nll_loss(log_prob, target)
    regularised = loss + model.penalty(raw, dropped)
    regularised.backward()
    r.compare('log_prob', log_prob.view(r['log_prob'].shape))
    r.compare('hidden_next', after)
    r.compare('raw_loss', loss)
    r.compare('loss', regularised)
    r.compare_all('grad.', {name: p.grad for name, p in model.named_parameters()})
    r.compare('eval_log_prob', model.eval()(x, hidden)[0].view(r['eval_log_prob'].shape))


def verify_initialisation(file):
    """Yields the weights that a seed initialises differently from the authors' code."""
    for row in json.load(open(file)):
        torch.manual_seed(row['seed'])
        model = SearchNetwork(row['ntoken'], row['nhid'], Dropout())
        got = dict(model.state_dict(), weights=model.weights)
        for name, want in row['tensors'].items():
            t = got[name].detach().double().flatten()
            if (list(got[name].shape) != want['shape'] or t[0].item() != want['first'] or t[-1].item() != want['last']
                    or abs(t.sum().item() - want['sum']) > 1e-9 * (1 + abs(want['sum']))):
                yield f"rnn-search, seed {row['seed']}: {name} differs"

# --- timed steps --------------------------------------------------------------


def batch(o):
    """Tokens of one chunk and the tokens that follow them, from the default generator of the CPU."""
    x, y = torch.randint(0, o.tokens, (o.bptt, o.batch)), torch.randint(0, o.tokens, (o.bptt * o.batch,))
    return x.to(o.device), y.to(o.device)


def first_loss(model, tokens):
    """The loss of the initial network without dropout, since masks differ between programs."""
    model = copy.deepcopy(model)
    for module in model, model.rnns[0]:
        module.dropout = Dropout()
    with torch.no_grad():
        return model.nll(tokens, model.zeros(tokens[0].size(1)))[0]


def search_step(o):
    """One step of the search in the order of o.serve. The first gives the loss before it."""
    model = SearchNetwork(o.tokens, o.units, SEARCH_DROPOUT).to(o.device)
    model.set_alphas(model.weights.to(o.device))
    optimizer = torch.optim.SGD(model.parameters(), 20, weight_decay=5e-7)
    architect = Architect(model, 3e-3, 1e-3, 5e-7, 0.25)
    train, valid = batch(o), batch(o)
    states = {'train': model.zeros(o.batch), 'valid': model.zeros(o.batch), 'fresh': True}

    def step():
        loss = first_loss(model, train) if states.pop('fresh', False) else None
        states['valid'] = architect.step(states['train'], train, states['valid'], valid, 20, o.serve == 'rnn-second-order')
        states['train'], trained, _ = weight_step(model, train, states['train'], optimizer, 0.25)
        trained.item()  # waits for the device
        return loss

    return step


def train_step(o):
    """One step of training DARTS_V2. The first gives the loss before it."""
    model = evaluation_network(o.tokens, o.units, TRAIN_DROPOUT, DARTS_V2).to(o.device)
    optimizer = torch.optim.SGD(model.parameters(), 20, weight_decay=8e-7)
    train = batch(o)
    states = {'train': model.zeros(o.batch), 'fresh': True}

    def step():
        loss = first_loss(model, train) if states.pop('fresh', False) else None
        states['train'], trained, _ = weight_step(model, train, states['train'], optimizer, 0.25)
        trained.item()  # waits for the device
        return loss

    return step

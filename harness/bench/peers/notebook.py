"""The notebook's classifier under NumPy: the same computation in the same order, one np.dot per product and time step.

Departures from the notebook, none of which makes it slower or faster: the gradient that arrives at step t - 1 is the
one that left step t (the notebook adds up all later ones, which is wrong), and weights are given, not drawn.
Shapes: inputs [B, T, F], kernel [F, U], recurrent kernel [U, U]; float64 as NumPy has it.
"""

import numpy as np


class SimpleRNN:
    def __init__(self, kernel, recurrent_kernel, bias):
        self.w_x, self.w_h, self.b = kernel, recurrent_kernel, bias
        self.cache = None

    def forward(self, x):
        batch, steps, _ = x.shape
        h = np.zeros((batch, self.w_h.shape[0]))
        xs, hs, previous, sums = {}, {}, {}, {}
        for t in range(steps):
            xs[t] = x[:, t, :]
            previous[t] = h
            # a_t = x_t W_x + h_{t-1} W_h + b;  h_t = tanh(a_t)
            a = np.dot(xs[t], self.w_x) + np.dot(h, self.w_h) + self.b
            sums[t] = a
            h = np.tanh(a)
            hs[t] = h
        self.cache = xs, hs, previous, sums
        return h

    def backward(self, dh, learning_rate):
        xs, hs, previous, _ = self.cache
        steps = len(xs)
        d_w_x, d_w_h, d_b = np.zeros_like(self.w_x), np.zeros_like(self.w_h), np.zeros_like(self.b)
        dx = np.zeros((dh.shape[0], steps, self.w_x.shape[0]))
        for t in reversed(range(steps)):
            # da_t = dh_t (1 - h_t^2)
            da = dh * (1 - hs[t] ** 2)
            d_b += np.sum(da, axis=0)
            d_w_x += np.dot(xs[t].T, da)
            d_w_h += np.dot(previous[t].T, da)
            dh = np.dot(da, self.w_h.T)
            dx[:, t, :] = np.dot(da, self.w_x.T)
        self.w_x -= learning_rate * d_w_x
        self.w_h -= learning_rate * d_w_h
        self.b -= learning_rate * d_b
        return dx, dh


class FullyConnected:
    def __init__(self, kernel, bias):
        self.w, self.b = kernel, bias
        self.x = None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.w) + self.b

    def backward(self, d_out, learning_rate):
        dx = np.dot(d_out, self.w.T)
        d_w, d_b = np.dot(self.x.T, d_out), np.sum(d_out, axis=0)
        self.w -= learning_rate * d_w
        self.b -= learning_rate * d_b
        return dx


class Classifier:
    def __init__(self, weights, learning_rate):
        copies = {name: weight.astype(np.float64) for name, weight in weights.items()}
        self.rnn = SimpleRNN(copies["kernel"], copies["recurrentKernel"], copies["bias"])
        self.fc = FullyConnected(copies["outputKernel"], copies["outputBias"])
        self.learning_rate = learning_rate

    def forward(self, x):
        return self.fc.forward(self.rnn.forward(x))

    def backward(self, x, y):
        """One training step; the mean loss before it."""
        rows = np.arange(len(x))
        scores = self.forward(x)
        powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        probabilities = powers / np.sum(powers, axis=1, keepdims=True)
        loss = -np.sum(np.log(probabilities[rows, y])) / len(x)
        d_scores = probabilities.copy()
        d_scores[rows, y] -= 1
        d_scores /= len(x)
        self.rnn.backward(self.fc.backward(d_scores, self.learning_rate), self.learning_rate)
        return loss

    def fit(self, x, y, batch_size):
        """One epoch; the loss of its last batch, as the notebook reports it."""
        order = np.random.default_rng(1).permutation(len(x))
        x, y = x[order], y[order]
        loss = np.nan
        for i in range(0, len(x), batch_size):
            loss = self.backward(x[i : i + batch_size], y[i : i + batch_size])
        return loss

// The theorems behind the lessons, as their pages state them: text with TeX's mathematics.
#pragma once

namespace cotangent::examples {

inline constexpr const char* kGradients =
    R"(The function $f(x, y) = \frac{1}{2}(y - \sin x)^2$ is not convex: at $(\pi/2, 0)$ its second
derivatives are $\operatorname{diag}(-1, 1)$. Yet it satisfies the PL inequality with $\mu = 1$ everywhere:
$$\|\nabla f\|^2 = 2(1 + \cos^2 x) f \ge 2 \mu f.$$
Leaky ReLU has no derivative at 0; the course takes $\varphi'(t) = \mathbf{1}\{t \ge 0\} + \alpha \mathbf{1}\{t < 0\}$,
so $\varphi'(0) = 1$, where central differences give $(1 + \alpha)/2$.)";

inline constexpr const char* kTraining = R"(Training makes the mean cross-entropy over $n$ images small,
$$\hat L(w) = \frac{1}{n} \sum_{i=1}^n \Bigl( \log \sum_{c} e^{f_c(w; x_i)} - f_{y_i}(w; x_i) \Bigr),$$
by steps along its gradient over batches of 64, which is right on average. What counts is another number: the share
of test images, never seen in training, whose largest output $f_c$ is the label's.)";

inline constexpr const char* kJacobians =
    R"(Let $f(W; x) = \sum_{j=1}^k v_j \varphi(\langle w_j, x \rangle)$ with $v$ fixed,
and let the rows of $X \in \mathbb{R}^{n \times d}$ be samples. Linear, $\varphi(t) = t$: $J = v \otimes X$. Leaky ReLU of
slope $\alpha$: $J(W) = [\, v_j \varphi'(\langle w_j, x_i \rangle) x_i \,]_{i, j}$, and
$$K(W) = J J^\top = (X X^\top) \circ B, \qquad B_{i i'} = \sum_j v_j^2 \varphi'(\langle w_j, x_i \rangle)
\varphi'(\langle w_j, x_{i'} \rangle),$$
so that for every $W$
$$\lambda_{\min}(K(W)) \ge \lambda_{\min}(X X^\top) \min_i B_{i i} \ge \alpha^2 \|v\|^2 \lambda_{\min}(X X^\top).$$
ReLU, $\alpha = 0$: $K(W) > 0$ if $X X^\top > 0$ and every sample $i$ has a neuron $j$ with
$v_j \varphi'(\langle w_j, x_i \rangle) \ne 0$.)";

inline constexpr const char* kTangentKernel =
    R"(For the outputs $F(w)$ on all samples and $J = F'(w)$, the tangent kernel is
$K(w) = J J^\top$. With $H_{l-1}$ the inputs of layer $l$ and $\Delta_l^{(c)}$ the derivatives of output $c$ by what that
layer computes, no Jacobian is needed:
$$K^{c c'} = \sum_l \bigl( H_{l-1} H_{l-1}^\top + \mathbf{1}\mathbf{1}^\top \bigr) \circ
\bigl( \Delta_l^{(c)} (\Delta_l^{(c')})^\top \bigr).$$
For $L(w) = \frac{1}{2}\|F(w) - y\|^2$ and the residual $r = F(w) - y$,
$$\|\nabla L(w)\|^2 = r^\top K(w) r \ge 2 \lambda_{\min}(K(w)) L(w),$$
with equality where $r$ is an eigenvector of $\lambda_{\min}$.)";

}  // namespace cotangent::examples

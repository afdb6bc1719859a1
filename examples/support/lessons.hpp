// What each lesson is about, as --help and its page say it: its name, a sentence, its claim and the theorem,
// in text with TeX's mathematics.
#pragma once
#include "examples/support/lesson.hpp"

namespace cotangent::examples {

inline const LessonInfo kGradients{
    .name = "01_gradients",
    .about = "The tape by hand, gradients, differences, a kink.",
    .claim = "A tape gives gradients to rounding, and gradients of gradients; differences give ten digits.",
    .statement =
        R"(The function $f(x, y) = \frac{1}{2}(y - \sin x)^2$ is not convex: at $(\pi/2, 0)$ its second
derivatives are $\operatorname{diag}(-1, 1)$. Yet it satisfies the PL inequality with $\mu = 1$ everywhere:
$$\|\nabla f\|^2 = 2(1 + \cos^2 x) f \ge 2 \mu f.$$
Leaky ReLU has no derivative at 0; the course takes
$\varphi'(t) = \mathbf{1}\{t \ge 0\} + \alpha \mathbf{1}\{t < 0\}$, so $\varphi'(0) = 1$, where
central differences give $(1 + \alpha)/2$.)",
};

inline const LessonInfo kTraining{
    .name = "02_train_a_classifier",
    .about = "A leaky ReLU network learns 28 x 28 digits.",
    .claim = "A network of two hidden layers learns digits that a linear model does not.",
    .statement = R"(Training makes the mean cross-entropy over $n$ images small,
$$\hat L(w) = \frac{1}{n} \sum_{i=1}^n \Bigl( \log \sum_{c} e^{f_c(w; x_i)} - f_{y_i}(w; x_i) \Bigr),$$
by steps along its gradient over batches of 64, which is right on average. What counts is another number:
the share of test images, never seen in training, whose largest output $f_c$ is the label's.)",
    .reads_data = true,
};

inline const LessonInfo kJacobians{
    .name = "03_jacobians",
    .about = "Jacobians and kernels in closed form.",
    .claim = "A leaky ReLU network satisfies PL* with one constant for all weights.",
    .statement = R"(Let $f(W; x) = \sum_{j=1}^k v_j \varphi(\langle w_j, x \rangle)$ with $v$ fixed,
and let the rows of $X \in \mathbb{R}^{n \times d}$ be samples. Linear, $\varphi(t) = t$: $J = v \otimes X$.
Leaky ReLU of slope $\alpha$: $J(W) = [\, v_j \varphi'(\langle w_j, x_i \rangle) x_i \,]_{i, j}$, and
$$K(W) = J J^\top = (X X^\top) \circ B, \qquad B_{i i'} = \sum_j v_j^2 \varphi'(\langle w_j, x_i \rangle)
\varphi'(\langle w_j, x_{i'} \rangle),$$
so that for every $W$
$$\lambda_{\min}(K(W)) \ge \lambda_{\min}(X X^\top) \min_i B_{i i}
\ge \alpha^2 \|v\|^2 \lambda_{\min}(X X^\top).$$
ReLU, $\alpha = 0$: $K(W) > 0$ if $X X^\top > 0$ and every sample $i$ has a neuron $j$ with
$v_j \varphi'(\langle w_j, x_i \rangle) \ne 0$.)",
};

inline const LessonInfo kProxies{
    .name = "08_proxy_convexity",
    .about = "Gradient descent on two-layer leaky ReLU nets and separable data.",
    .claim =
        "On separable data gradient descent brings a two-layer leaky ReLU net to every accuracy, from any "
        "start",
    .statement =
        R"(Let $f(x; W) = \sum_{j=1}^m a_j \phi(\langle w_j, x \rangle)$ with $a_j = \pm 1/\sqrt{m}$ fixed and
$\phi(t) = \max(t, \alpha t)$, $0 < \alpha \le 1$. If $\|x_i\| \le 1$ and
$y_i \langle v^*, x_i \rangle \ge \gamma > 0$ for a unit vector $v^*$, then gradient descent on
$\hat L(W) = \frac{1}{n} \sum_{i=1}^n \log(1 + e^{-y_i f(x_i; W)})$ with step $\eta \le 2\epsilon/3$
has, from any $W_0$,
$$\min_{t < T} \hat L(W_t) \le \epsilon \quad \text{for} \quad
T \ge \frac{3 \|W_0 - V\|_F^2}{2 \eta \epsilon},$$
where $V$ has the rows $v_j = \rho a_j v^*$ and $\rho = \frac{1}{\alpha \gamma} \log \frac{3}{\epsilon}$.

The reason is that $\hat L$ is proxy convex:
$\ell(\rho \alpha \gamma) \ge \hat L(W) + \langle \nabla \hat L(W), V - W \rangle$ for every $W$, with
$\ell(t) = \log(1 + e^{-t})$.)",
    .reads_data = true,
};

inline const LessonInfo kTangentKernel{
    .name = "09_tangent_kernel",
    .about = "The tangent kernel, its spectrum, and PL*.",
    .claim =
        "The smallest eigenvalue of the tangent kernel at w is the PL* constant at w, and no larger one is.",
    .statement = R"(For the outputs $F(w)$ on all samples and $J = F'(w)$, the tangent kernel is
$K(w) = J J^\top$. With $H_{l-1}$ the inputs of layer $l$ and $\Delta_l^{(c)}$ the derivatives of output $c$
by what that layer computes, no Jacobian is needed:
$$K^{c c'} = \sum_l \bigl( H_{l-1} H_{l-1}^\top + \mathbf{1}\mathbf{1}^\top \bigr) \circ
\bigl( \Delta_l^{(c)} (\Delta_l^{(c')})^\top \bigr).$$
For $L(w) = \frac{1}{2}\|F(w) - y\|^2$ and the residual $r = F(w) - y$,
$$\|\nabla L(w)\|^2 = r^\top K(w) r \ge 2 \lambda_{\min}(K(w)) L(w),$$
with equality where $r$ is an eigenvector of $\lambda_{\min}$.)",
};

inline const LessonInfo kYourOwnOperation{
    .name = "14_your_own_operation",
    .about = "An operation of one's own: value, pullback, checks, bounds, networks; checkpoints.",
    .claim = "A value and a pullback made of operations are all it takes; differences tell whether they fit.",
    .statement =
        R"(A reverse pass needs one rule of an operation $y = \varphi(x)$: how the cotangent $g$ of the result
becomes that of the input, $\bar x = \varphi'(x)^\top g$. Made of operations, the rule is differentiated
again like any other function. Here
$$\varphi(t) = \frac{1 + \alpha}{2} t + \frac{1 - \alpha}{2} \sqrt{t^2 + r^2},$$
leaky ReLU of slope $\alpha$ with its kink rounded off. As $\varphi' \ge \alpha$, a two-layer network
with it has
$$\lambda_{\min}(K(W)) \ge \alpha^2 \|v\|^2 \lambda_{\min}(X X^\top)$$
for every $W$, as with leaky ReLU itself.)",
};

inline const LessonInfo kOptimizers{
    .name = "15_optimizers",
    .about = "Optimizers counted in component gradients, one of one's own, a run that is resumed.",
    .claim =
        "With a step that works SAGA needs a twentieth of gradient descent's component gradients; with its "
        "theorem's step more than all of them.",
    .statement =
        R"(Let $f(w) = \frac{1}{n} \sum_{i=1}^n f_i(w)$ be $L$-smooth with
$\|\nabla f\|^2 \ge 2 \mu (f - f^*)$. Gradient descent with a step $0 < s < 2/L$ has
$$f(w_k) - f^* \le (1 - 2 \mu c)^k (f(w_0) - f^*), \qquad c = s \Bigl( 1 - \frac{s L}{2} \Bigr),$$
at the price of $n$ component gradients a step. On $f(w) = \frac{L}{2} w^2$ a step $s > 2/L$ multiplies $w$
by $1 - s L < -1$: it leads away. Heavy ball, with numbers made of $L$ and $\mu$, needs about
$\sqrt{L/\mu}$ steps in place of $L/\mu$; SVRG steps along
$$g = \nabla f_i(w) - \nabla f_i(z) + \nabla f(z)$$
for a sample $i$ and an earlier point $z$, SAGA and PAGE along its relatives: right on average or nearly so,
with an error that vanishes as $w$ and $z$ reach the minimiser.)",
    .reads_data = true,
};

}  // namespace cotangent::examples

# AdamW with warm-up, cosine, clipping and biases that do not decay with PyTorch, for comparison:
# adamw_schedule.cpp.
import math
import torch
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
x = 4.0 * torch.rand(3000, 8) - 2.0
y = (2.0 * x[:, :1]).sin() + x[:, 1:2] * x[:, 2:3] + 0.1 * torch.randn(3000, 1)
net = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
train = torch.utils.data.TensorDataset(x[:2000], y[:2000])
loader = torch.utils.data.DataLoader(train, batch_size=50, shuffle=True)
loss = nn.MSELoss()

epochs, steps = 60, 60 * 2000 // 50
weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
groups = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
adamw = torch.optim.AdamW(groups, lr=3e-3, weight_decay=0.1)
schedule = torch.optim.lr_scheduler.LambdaLR(adamw, lambda k: (k + 1) / 100 if k < 100 else (
    0.5 * (1.0 + math.cos(math.pi * (k - 100) / (steps - 100)))))
for epoch in range(epochs):
    for batch_x, batch_y in loader:
        adamw.zero_grad()
        loss(net(batch_x), batch_y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adamw.step()
        schedule.step()
with torch.no_grad():
    risk, error = loss(net(x[:2000]), y[:2000]).item(), loss(net(x[2000:]), y[2000:]).item()
print("risk", risk, "test error", error, "explained", 1.0 - error / y[2000:].var(unbiased=False).item())

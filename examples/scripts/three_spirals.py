# Three spirals with PyTorch, for comparison: three_spirals.cpp.
import copy
import math
import torch
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
y = torch.arange(1200) % 3
r = torch.rand(1200)
angle = 2 * math.pi * (1.5 * r + y / 3)
x = r[:, None] * torch.stack([angle.cos(), angle.sin()], 1) + 0.02 * torch.randn(1200, 2)
train = torch.utils.data.TensorDataset(x[:600], y[:600])
loader = torch.utils.data.DataLoader(train, batch_size=50, shuffle=True)
net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
loss = nn.CrossEntropyLoss()
adam = torch.optim.Adam(net.parameters(), lr=0.01)

best_value, best_epoch, best = math.inf, 0, None
for epoch in range(500):
    for batch_x, batch_y in loader:
        adam.zero_grad()
        loss(net(batch_x), batch_y).backward()
        adam.step()
    with torch.no_grad():
        validation = loss(net(x[600:900]), y[600:900]).item()
    if validation < best_value:
        best_value, best_epoch, best = validation, epoch, copy.deepcopy(net.state_dict())
    elif epoch - best_epoch >= 20:
        break
torch.save(best, "three_spirals.pt")
print("stopped after", epoch + 1, "epochs; best was", best_epoch, "with loss", best_value)

net.load_state_dict(torch.load("three_spirals.pt"))
with torch.no_grad():
    print("test accuracy", (net(x[900:]).argmax(1) == y[900:]).double().mean().item())

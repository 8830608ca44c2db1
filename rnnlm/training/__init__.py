"""Training of one network: the LightningModule, the Trainer, and what they need."""

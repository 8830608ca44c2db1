"""Names that other projects give to options of this one."""

from __future__ import annotations

FAMILIAR_NAMES = {
    "trainer.max_epochs": "epochs epoch n_epochs num_epochs max_epoch total_epochs upper_epoch",
    "trainer.max_steps": "steps iterations iters max_iters num_steps num_iters",
    "trainer.gradient_clip_val": "clip grad_clip clip_grad gradient_clip max_grad_norm clip_norm",
    "trainer.check_val_every_n_epoch": "eval_every val_every eval_interval",
    "trainer.precision": "fp16 bf16 amp half",
    "trainer.accumulate_grad_batches": "accumulate grad_accum gradient_accumulation_steps",
    "trainer=gpu": "gpu gpus cuda use_cuda use_gpu ngpu",
    "trainer.accelerator": "device",
    "optimizer.lr": "lr learning_rate learningrate eta step_size",
    "optimizer.weight_decay": "wd wdecay l2",
    "optimizer.schedule": "scheduler lr_scheduler lr_schedule",
    "optimizer=adam": "optim opt",
    "model.hidden_size": "hidden hidden_dim nhid num_hiddens n_hidden rnn_size hidden_units",
    "model.num_layers": "layers nlayers n_layers num_layer depth",
    "model.dropout": "drop dropout_rate dropout_p p_dropout",
    "model.tie_weights": "tied tie weight_tying",
    "model.num_parameters": "params num_params n_params parameters budget",
    "model": "cell rnn cell_type rnn_type net network arch",
    "features.embedding_size": "emsize embed_size emb embedding embedding_dim embed_dim",
    "features": "feature input inputs encoding_type",
    "data.batch_size": "batch bs bsz batchsize b",
    "data.seq_len": "bptt seq_length sequence_length seqlen context block_size num_steps_unrolled",
    "data.source": "file path text corpus_path input_file train_file data_path data_dir",
    "data.max_vocab": "vocab vocab_size max_vocab_size",
    "data.min_count": "min_freq min_frequency mincount",
    "data": "dataset corpus task",
    "hydra/launcher=parallel hydra.launcher.runs_at_once": "workers num_workers jobs n_jobs nproc",
    "output_dir": "save out output outdir out_dir save_dir log_dir logdir results_dir",
    "samples.prompts": "prompt prompts start prime prefix",
    "samples.length": "gen_length sample_length predict_len",
    "samples.temperature": "temp temperature",
    "logger": "log loggers wandb tensorboard mlflow",
    "seed": "random_seed manual_seed rng_seed seeds",
    "force": "overwrite restart",
}


def meant_by(name: str) -> str | None:
    """Return the option that a name from another project most likely means."""
    last = name.rpartition(".")[2].lower().replace("-", "_")
    return next((ours for ours, theirs in FAMILIAR_NAMES.items() if last in theirs.split()), None)

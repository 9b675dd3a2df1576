"""What `hookwright deliver` sends: to a Webhook what its scheme wants, to a BuildTrigger what its provider sends."""

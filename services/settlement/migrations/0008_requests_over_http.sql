COMMENT ON TABLE requests IS 'What people ask of the owner of a lane (lane -1: of the gateway). Inserted by the command line and by HTTP, marked as handled by the owner.';

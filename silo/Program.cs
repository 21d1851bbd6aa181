using ZeroStor.Silo;

return await SiloCommand.Make().Parse(args).InvokeAsync();

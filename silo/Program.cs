using System.CommandLine;
using ZeroStor.Silo;

// The host takes the signals and stops in order; the library of the command line would end the process two seconds
// after the first one.
return await SiloCommand.Make().Parse(args).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = null });

using System.CommandLine;
using ZeroStor.Silo;

// The host takes the signals and stops in order; the library of the command line would end the process two seconds
// after the first one.
// --postgres @FILE is the silo's own: no argument is read as the name of a file of arguments.
return await SiloCommand.Make().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = null });

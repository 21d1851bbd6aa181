using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ZeroStor.CommandLine;

/// <summary>A command whose help goes on with examples. The first paragraph of its text describes it, here
/// and in the list of commands; what follows is shown by its own <c>--help</c> alone.</summary>
internal sealed class TaughtCommand : Command
{
    public TaughtCommand(string name, string help)
        : base(name)
    {
        string[] parts = help.Split("\n\n", 2);
        Description = parts[0].ReplaceLineEndings(" ");
        Examples = parts.Length > 1 ? parts[1] : "";
    }

    private string Examples { get; }

    /// <summary>Lets the help of <paramref name="root"/> and all below it show examples.</summary>
    public static void TeachHelp(RootCommand root)
    {
        HelpOption option = root.Options.OfType<HelpOption>().Single();
        option.Action = new HelpWithExamples((HelpAction)option.Action!);
    }

    private sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int exit = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is TaughtCommand { Examples.Length: > 0 } command)
            {
                parseResult.InvocationConfiguration.Output.WriteLine($"Examples:\n{command.Examples}\n");
            }

            return exit;
        }
    }
}

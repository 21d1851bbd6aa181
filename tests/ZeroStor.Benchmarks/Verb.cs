using System.Globalization;

namespace ZeroStor.Benchmarks;

/// <summary>A measurement that can be asked for.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Options">Its options, as a usage line has them.</param>
/// <param name="Help">What it does and prints.</param>
/// <param name="Run">Does it, and prints.</param>
internal sealed record Verb(string Name, string Options, string Help, Action<Options> Run);

/// <summary>Options of the form <c>--name value</c>, and flags, <c>--name</c> alone.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = [];

    /// <exception cref="ZeroStorException">InvalidArgument: the verb knows no such option.</exception>
    internal Options(string[] args, Verb verb)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            bool isFlag = verb.Options.Contains($"[{name}]", StringComparison.Ordinal);
            bool hasValue = verb.Options.Contains($"[{name} ", StringComparison.Ordinal) && i + 1 < args.Length;
            if (!isFlag && !hasValue)
            {
                throw ZeroStorException.Invalid(
                    $"'{name}' is no flag, and no option with a value: {verb.Name} {verb.Options}");
            }

            _values[name] = isFlag ? "" : args[++i];
        }
    }

    internal bool Has(string flag) => _values.ContainsKey(flag);

    /// <exception cref="ZeroStorException">InvalidArgument: it is no number above 0.</exception>
    internal int Number(string name, int otherwise) =>
        !_values.TryGetValue(name, out string? text) ? otherwise
        : int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number > 0 ? number
        : throw ZeroStorException.Invalid($"{name} wants a number above 0, and '{text}' is none.");

    internal string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);
}

/// <summary>The middle one of some measured values.</summary>
internal static class Median
{
    internal static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}

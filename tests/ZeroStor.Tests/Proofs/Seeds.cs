using System.Globalization;

namespace ZeroStor.Tests.Proofs;

/// <summary>The seeds that a proof is run with. In the environment, <c>ZEROSTOR_SEED=17</c> replays one and
/// <c>ZEROSTOR_SEEDS=5000</c> takes so many instead of the few that every run of the tests has time
/// for.</summary>
internal static class Seeds
{
    internal static async Task ForEachAsync(int few, Func<int, Task> prove)
    {
        int? one = Setting("ZEROSTOR_SEED");
        int first = one ?? 0;
        int count = one is null ? Setting("ZEROSTOR_SEEDS") ?? few : 1;
        for (int seed = first; seed < first + count; seed++)
        {
            try
            {
                await prove(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"ZEROSTOR_SEED={seed} replays this: {e.Message}", e);
            }
        }
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value)
            ? value
            : null;
}

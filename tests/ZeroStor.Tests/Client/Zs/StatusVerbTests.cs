using System.Collections.Immutable;
using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class StatusVerbTests
{
    [Fact]
    public void Stripes_that_can_lose_one_shard_more_at_most_are_named_those_with_the_fewest_left_first()
    {
        VaultLedger wide = Vault("wide", new Code(8, 4), (1, 40), (3, 2), (4, 1));
        VaultLedger thin = Vault("thin", new Code(2, 1), (1, 5));
        VaultLedger unknown = Vault("", new Code(2, 1), (2, 7));
        VaultLedger safe = Vault("safe", new Code(8, 4), (1, 1), (2, 9));
        Assert.Equal((0, 3), (wide.Spare, wide.AtRisk));
        Assert.Equal((0, 5), (thin.Spare, thin.AtRisk));
        Assert.Equal((-1, 7), (unknown.Spare, unknown.AtRisk));
        Assert.Equal((2, 0), (safe.Spare, safe.AtRisk));
        var ledger = new Ledger
        {
            Stripes = 100,
            Whole = 35,
            ByMissing = ImmutableSortedDictionary<int, long>.Empty,
            Vaults = [unknown, wide, thin, safe],
        };
        Assert.Equal(
            [
                "risk   7 stripes have 1 shards left and need 2: of no known vault, 2+1",
                "risk   1 stripes have 8 shards left and need 8: vault wide, 8+4",
                "risk   5 stripes have 2 shards left and need 2: vault thin, 2+1",
                "risk   2 stripes have 9 shards left and need 8: vault wide, 8+4",
            ],
            StatusVerb.AtRisk(ledger));
    }

    private static VaultLedger Vault(string name, Code code, params (int Missing, long Stripes)[] counts) => new()
    {
        Vault = name,
        Code = code,
        ByMissing = counts.ToImmutableSortedDictionary(c => c.Missing, c => c.Stripes),
    };
}

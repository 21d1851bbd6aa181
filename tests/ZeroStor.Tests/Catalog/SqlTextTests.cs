using System.Text.RegularExpressions;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed partial class SqlTextTests
{
    private static readonly SqlText Sql = SqlText.Load("sqlite");
    private static readonly SqlText Postgres = SqlText.Load("postgres");

    // Who the server is, and whether it may hold a catalog.
    private static readonly string[] OfPostgresAlone = ["server", "identity", "identity-is-shown"];

    [Fact]
    public void Scripts_come_by_number_orleans_first()
    {
        Assert.Equal([1, 2, 10, 11, 12, 13, 14, 15], Sql.Scripts.Select(s => s.Number));
        Assert.StartsWith("001-orleans", Sql.Scripts[0].Name, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15], Postgres.Scripts.Select(s => s.Number));
        Assert.All(
            Sql.Scripts[..2].Concat(Postgres.Scripts[..5]),
            s => Assert.Contains("The MIT License", s.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_statement_has_its_parameters_in_order_and_its_own_text_only()
    {
        SqlStatement page = Sql["page-put"];
        Assert.Equal(["content", "page", "bytes"], page.Parameters.Select(p => p.Name));
        Assert.StartsWith("INSERT INTO pages", page.Text, StringComparison.Ordinal);
        Assert.EndsWith(";", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("-- name", page.Text, StringComparison.Ordinal);
        Assert.Empty(Sql["commit"].Parameters);
    }

    [Fact]
    public void Every_database_has_the_same_statements_with_the_same_parameters()
    {
        Assert.Equal(Sql.Statements.Order(), Postgres.Statements.Except(OfPostgresAlone).Order());
        foreach (string name in Sql.Statements)
        {
            IEnumerable<string> parameters = Sql[name].Parameters.Select(p => p.Name);
            Assert.Equal(parameters, Postgres[name].Parameters.Select(p => p.Name));
            Assert.Equal(parameters, Postgres.ForWriting(name).Parameters.Select(p => p.Name));
        }
    }

    [Fact]
    public void What_is_run_for_many_values_takes_them_all_at_once_on_PostgreSQL()
    {
        Regex runs = RunForMany();
        string[] names =
        [
            .. Directory.GetFiles(Checkout.PathOf("src", "ZeroStor.Catalog"), "*.cs")
                .SelectMany(f => runs.Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value).Distinct(),
        ];
        Assert.Contains("head", names);
        Assert.Contains("page-put", names);
        Assert.All(names, name => Assert.True(Postgres[name].TakesSets, name));
        Assert.All(names, name => Assert.False(Sql[name].TakesSets, name));
    }

    [Fact]
    public void Locks_are_taken_by_transactions_that_write_alone()
    {
        foreach (string name in Sql.Statements)
        {
            SqlStatement writing = Postgres.ForWriting(name);
            bool locks = writing.Text.Contains("INTO held", StringComparison.Ordinal)
                || writing.Text.Contains("xact_lock_shared", StringComparison.Ordinal);
            Assert.Equal(locks, writing != Postgres[name]);
            Assert.Same(Sql[name], Sql.ForWriting(name));
        }

        Assert.NotSame(Postgres["content"], Postgres.ForWriting("content"));
    }

    [GeneratedRegex(@"(?:Query|Execute)EachAsync\(\s*""([a-z-]+)""")]
    private static partial Regex RunForMany();
}

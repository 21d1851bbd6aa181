using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class SqlTextTests
{
    private static readonly SqlText Sql = SqlText.Load("sqlite");

    [Fact]
    public void Scripts_come_by_number_orleans_first()
    {
        Assert.Equal([1, 2, 10, 11], Sql.Scripts.Select(s => s.Number));
        Assert.StartsWith("001-orleans", Sql.Scripts[0].Name, StringComparison.Ordinal);
        Assert.All(
            Sql.Scripts[..2], s => Assert.Contains("The MIT License", s.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_statement_has_its_parameters_in_order_and_its_own_text_only()
    {
        SqlStatement page = Sql["page-put"];
        Assert.Equal(["content", "page", "bytes"], page.Parameters);
        Assert.StartsWith("INSERT INTO pages", page.Text, StringComparison.Ordinal);
        Assert.EndsWith(";", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("-- name", page.Text, StringComparison.Ordinal);
        Assert.Empty(Sql["commit"].Parameters);
    }
}
